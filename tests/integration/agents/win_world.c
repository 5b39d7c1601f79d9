#include "tests/integration/agents/win_world.h"
#include "tests/lib/unit.h"

#include "agents/win_text.h"
#include "base/alloc.h"

#include <strings.h>

struct win_world win;

void win_begin(void)
{
	win_end();
	win.next_pid = 2000;
	win.tear_at = -1;
}

void win_end(void)
{
	for (int i = 0; i < win.files_n; i++)
		buf_release(&win.files[i].bytes);
	win = (struct win_world){0};
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

struct win_file *win_file(const char *path)
{
	struct win_file *file;

	for (int i = 0; i < win.files_n; i++) {
		if (strcasecmp(win.files[i].path, path) == 0)
			return &win.files[i];
	}
	ck_assert_int_lt(win.files_n, WIN_FILES);
	file = &win.files[win.files_n++];
	snprintf(file->path, sizeof(file->path), "%s", path);
	file->bytes.max = (size_t)200 << 20;
	return file;
}

void win_write(const char *path, const void *bytes, size_t len)
{
	struct win_file *file = win_file(path);

	buf_clear(&file->bytes);
	buf_add(&file->bytes, bytes, len);
	file->there = true;
}

static bool opens(struct win_file *file, struct err *err)
{
	if (!file->there)
		err_set(err, E_NOTFOUND, "%s does not exist", file->path);
	else if (file->busy > 0 && file->busy--)
		err_set(err, E_BUSY, "%s is held open by another process", file->path);
	else
		return true;
	return false;
}

static void get(const struct op *op, struct op_result *result)
{
	struct win_file *file = win_file(op->path);

	if (!opens(file, &result->failure))
		return;
	if (file->bytes.len > op->max_out_bytes) {
		err_set(&result->failure, E_LIMIT, "%s is larger than is allowed", op->path);
		return;
	}
	buf_add(&result->out, buf_str(&file->bytes), file->bytes.len);
	result->file = (struct op_file){.real_path = str_dup(file->path),
					.mode = file->read_only ? 0444 : 0666,
					.owner = str_dup(""),
					.group = str_dup(""),
					.links = 1,
					.size_bytes = (int64_t)file->bytes.len};
}

static void back_up(const struct op *op, const struct win_file *file)
{
	char *folder = win_folder(file->path), *path = op->backup ? win_join(folder, op->backup) : NULL;

	if (path && !win_file(path)->there)
		win_write(path, buf_str(&file->bytes), file->bytes.len);
	free(path);
	free(folder);
}

/* The copy that the session dies in. */
static void tear(struct win_file *file, const struct buf *to)
{
	struct buf torn = {.max = (size_t)2 << 20};
	size_t done = (size_t)win.tear_at < to->len ? (size_t)win.tear_at : to->len;

	buf_add(&torn, buf_str(to), done);
	if (win.tear_keeps_rest && file->bytes.len > done)
		buf_add(&torn, file->bytes.data + done, file->bytes.len - done);
	win_write(file->path, buf_str(&torn), torn.len);
	buf_release(&torn);
	win.tear_at = -1;
}

static void replace(const struct op *op, struct op_result *result)
{
	struct win_file *file = win_file(op->path);
	char sha[SHA256_HEX_MAX];

	if (!opens(file, &result->failure) || buf_equals(&file->bytes, op->input.data, op->input.len))
		return;
	if (strcmp(sha256_hex(buf_str(&file->bytes), file->bytes.len, sha), op->expect_sha256) != 0) {
		err_set(&result->failure, E_CHANGED, "%s is not what it was", op->path);
		return;
	}
	result->started = true;
	back_up(op, file);
	if (win.tear_at >= 0) {
		tear(file, &op->input);
		err_set(&result->failure, E_CLOSED, "cut");
	} else {
		win_write(op->path, buf_str(&op->input), op->input.len);
	}
}

/* ---- services --------------------------------------------------------------------------------------------------- */

struct win_service *win_service(const char *key)
{
	for (int i = 0; i < win.services_n; i++) {
		if (strcasecmp(win.services[i].key, key) == 0)
			return &win.services[i];
	}
	return NULL;
}

/* The host in the file, as the client's process takes it in at its start. */
static void read_config(struct win_service *s)
{
	const struct win_file *file = win.config ? win_file(win.config) : NULL;
	const char *at = file && file->there ? buf_str(&file->bytes) : "", *url = NULL;
	size_t len;

	/* the last one: before it there may be one in a comment */
	while ((at = strstr(at, "value=\"https://")) != NULL)
		url = at += strlen("value=\"https://");
	len = url ? strcspn(url, "/:\"") : 0;
	if (len && url[len] == '/')
		snprintf(s->read, sizeof(s->read), "%.*s", (int)len, url);
	else
		snprintf(s->read, sizeof(s->read), "torn");
}

static void come_up(struct win_service *s)
{
	s->starts++;
	s->pid = win.next_pid += 4;
	read_config(s);
	s->state = s->start_looks ? SC_START_PENDING : SC_RUNNING;
	s->pending = s->start_looks;
	if (s->dies) {
		s->state = SC_STOPPED;
		s->pid = 0;
	}
}

static void go_down(struct win_service *s)
{
	s->stops++;
	s->state = SC_STOPPED;
	s->down = 0;
	if (!s->lingers)
		s->pid = 0;
}

struct win_service *win_service_add(const char *key, const char *display, const char *command_line, enum sc_state state)
{
	struct win_service *s = &win.services[win.services_n++];

	ck_assert_int_le(win.services_n, WIN_SERVICES);
	*s = (struct win_service){
	    .key = key, .display = display, .command_line = command_line, .state = state, .start = SC_AUTO_START};
	if (state == SC_STOPPED)
		return s;
	come_up(s);
	s->state = state;
	s->starts = 0;
	return s;
}

static bool depends_on_running(const struct win_service *s)
{
	for (int i = 0; i < win.services_n; i++) {
		const char *on = win.services[i].depends_on;

		if (on && strcasecmp(on, s->key) == 0 && win.services[i].state != SC_STOPPED)
			return true;
	}
	return false;
}

static long stop(struct win_service *s)
{
	long code = s->stop_code;

	s->stop_code = 0;
	if (code)
		return code;
	if (s->state == SC_STOPPED)
		return SC_NOT_ACTIVE;
	if (s->state == SC_STOP_PENDING || s->state == SC_START_PENDING)
		return SC_CANNOT_ACCEPT;
	if (depends_on_running(s))
		return SC_DEPENDENTS_RUNNING;
	if (s->ignores_stop)
		return SC_OK;
	if (s->stop_looks) {
		s->state = SC_STOP_PENDING;
		s->pending = s->stop_looks;
		s->checkpoint = 1;
	} else {
		go_down(s);
	}
	return SC_OK;
}

static long start(struct win_service *s)
{
	long code = s->start_code;

	s->start_code = 0;
	if (code)
		return code;
	if (s->start == SC_DISABLED)
		return SC_IS_DISABLED;
	if (s->state != SC_STOPPED)
		return SC_ALREADY_RUNNING;
	come_up(s);
	return SC_OK;
}

/* One step of what is on its way. */
static void pass(struct win_service *s)
{
	if (s->state == SC_STOP_PENDING || s->state == SC_START_PENDING) {
		s->checkpoint += s->makes_progress;
		if (s->pending < 0 || s->pending-- > 0)
			return;
		if (s->state == SC_STOP_PENDING)
			go_down(s);
		else
			s->state = SC_RUNNING;
	} else if (s->state == SC_STOPPED && s->revives > 0 && ++s->down > s->revives_after) {
		s->revives--;
		come_up(s);
	}
}

/* ---- what sc.exe prints ----------------------------------------------------------------------------------------- */

static void failed(struct op_result *result, const char *call, long code)
{
	/* "The specified service does not exist as an installed service." and its like, in CP932 */
	static const char japanese[] =
	    "\x8e\x77\x92\xe8\x82\xb3\x82\xea\x82\xbd\x83\x54\x81\x5b\x83\x72\x83\x58\x82\xcd";

	result->exit_code = (int32_t)code;
	buf_addf(&result->out, "[SC] %s FAILED %ld:\r\n\r\n%s\r\n\r\n", call, code,
		 win.japanese ? japanese : "The service did not do it.");
}

static void table_of(struct op_result *result, const struct win_service *s, bool extended)
{
	bool pending = s->state == SC_STOP_PENDING || s->state == SC_START_PENDING;

	buf_addf(&result->out, "        TYPE               : 10  WIN32_OWN_PROCESS  \r\n");
	buf_addf(&result->out, "        STATE              : %d  %s \r\n", (int)s->state, sc_state_name(s->state));
	buf_addf(&result->out, "                                (%s)\r\n",
		 s->state == SC_RUNNING ? "STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN"
					: "NOT_STOPPABLE, NOT_PAUSABLE, IGNORES_SHUTDOWN");
	buf_addf(&result->out, "        WIN32_EXIT_CODE    : %ld  (0x%lx)\r\n", s->state == SC_STOPPED ? s->dies : 0,
		 s->state == SC_STOPPED ? s->dies : 0);
	buf_addf(&result->out, "        SERVICE_EXIT_CODE  : 0  (0x0)\r\n");
	buf_addf(&result->out, "        CHECKPOINT         : 0x%x\r\n", pending ? s->checkpoint : 0);
	buf_addf(&result->out, "        WAIT_HINT          : 0x%x\r\n", pending ? 30000 : 0);
	if (extended)
		buf_addf(&result->out, "        PID                : %u\r\n        FLAGS              : \r\n",
			 s->state == SC_STOPPED ? 0 : s->pid);
}

static void dependants(struct op_result *result, const struct win_service *s)
{
	int n = 0;

	for (int i = 0; i < win.services_n; i++)
		n += win.services[i].depends_on && strcasecmp(win.services[i].depends_on, s->key) == 0;
	buf_addf(&result->out, "Enum: entriesRead = %d\r\n", n);
	for (int i = 0; i < win.services_n; i++) {
		const struct win_service *d = &win.services[i];

		if (!d->depends_on || strcasecmp(d->depends_on, s->key) != 0)
			continue;
		buf_addf(&result->out, "\r\nSERVICE_NAME: %s\r\nDISPLAY_NAME: %s\r\n", d->key, d->display);
		table_of(result, d, false);
	}
}

static void settings(struct op_result *result, const struct win_service *s)
{
	static const char *const words[] = {"BOOT_START", "SYSTEM_START", "AUTO_START", "DEMAND_START", "DISABLED"};

	buf_addf(&result->out, "[SC] QueryServiceConfig SUCCESS\r\n\r\nSERVICE_NAME: %s\r\n", s->key);
	buf_addf(&result->out, "        TYPE               : 10  WIN32_OWN_PROCESS \r\n");
	buf_addf(&result->out, "        START_TYPE         : %d   %s\r\n", (int)s->start, words[s->start]);
	buf_addf(&result->out, "        ERROR_CONTROL      : 1   NORMAL\r\n        BINARY_PATH_NAME   : %s  \r\n",
		 s->command_line);
	buf_addf(&result->out, "        LOAD_ORDER_GROUP   : \r\n        TAG                : 0  \r\n");
	buf_addf(&result->out, "        DISPLAY_NAME       : %s  \r\n        DEPENDENCIES       : %s  \r\n", s->display,
		 s->depends_on ? s->depends_on : "");
	buf_addf(&result->out, "        SERVICE_START_NAME : LocalSystem  \r\n");
}

static void key_name(struct op_result *result, const char *display)
{
	for (int i = 0; i < win.services_n; i++) {
		if (strcasecmp(win.services[i].display, display) != 0)
			continue;
		/* "Name" */
		buf_addf(&result->out, "[SC] GetServiceKeyName SUCCESS\r\n%s = %s\r\n",
			 win.japanese ? "\x96\xbc\x91\x4f" : "Name", win.services[i].key);
		return;
	}
	failed(result, "GetServiceKeyName", SC_NO_SUCH_SERVICE);
}

static void control(struct op_result *result, struct win_service *s, const char *verb, const char *call,
		    long (*does)(struct win_service *))
{
	long code = does(s);

	(void)verb;
	if (code) {
		failed(result, call, code);
		return;
	}
	buf_addf(&result->out, "\r\nSERVICE_NAME: %s \r\n", s->key);
	table_of(result, s, false);
}

static void service_manager(const struct op *op, struct op_result *result)
{
	const char *verb = op->args[0], *name = op->args[1];
	struct win_service *s = win_service(name);

	if (strcmp(verb, "getkeyname") == 0) {
		key_name(result, name);
	} else if (!s) {
		failed(result, "OpenService", SC_NO_SUCH_SERVICE);
	} else if (strcmp(verb, "getdisplayname") == 0) {
		buf_addf(&result->out, "[SC] GetServiceDisplayName SUCCESS\r\nName = %s\r\n", s->display);
	} else if (strcmp(verb, "queryex") == 0) {
		pass(s);
		buf_addf(&result->out, "\r\nSERVICE_NAME: %s \r\n", s->key);
		table_of(result, s, true);
	} else if (strcmp(verb, "qc") == 0) {
		settings(result, s);
	} else if (strcmp(verb, "enumdepend") == 0) {
		dependants(result, s);
	} else if (strcmp(verb, "stop") == 0) {
		control(result, s, verb, "ControlService", stop);
	} else {
		ck_assert_str_eq(verb, "start");
		control(result, s, verb, "StartService", start);
	}
}

/* ---- tasklist.exe ----------------------------------------------------------------------------------------------- */

static void list_processes(const struct op *op, struct op_result *result)
{
	/* "there is no process of that kind", as sentences */
	static const char none_ja[] = "\x8f\xee\x95\xf1: \x8e\x77\x92\xe8\x82\xb3\x82\xea\x82\xbd\r\n";
	unsigned long pid = strtoul(op->args[0] + strlen("PID eq "), NULL, 10);

	ck_assert_int_eq(strncmp(op->args[0], "PID eq ", 7), 0);
	win.tasks_asked++;
	if (win.fail_tasklist) {
		buf_adds(&result->err, "ERROR: The RPC server is unavailable.\r\n");
		result->exit_code = 1;
		return;
	}
	for (int i = 0; i < win.services_n; i++) {
		struct win_service *s = &win.services[i];

		if (s->pid != pid || !pid)
			continue;
		buf_addf(&result->out, "\"PluginService.exe\",\"%lu\",\"Services\",\"0\",\"12,345 K\"\r\n", pid);
		if (s->state == SC_STOPPED && s->lingers > 0 && --s->lingers == 0)
			s->pid = 0;
		return;
	}
	buf_adds(&result->out,
		 win.japanese ? none_ja : "INFO: No tasks are running which match the specified criteria.\r\n");
}

/* ---- ops -------------------------------------------------------------------------------------------------------- */

static void run(const struct op *op, struct op_result *result)
{
	for (int i = 0; i < op->args_n; i++)
		ck_assert_msg(win_is_argument(op->args[i]), "%s", op->args[i]);
	if (strcmp(op->script->name, "service.cmd") == 0 && win.fail_sc)
		result->exit_code = (int32_t)win.fail_sc;
	else if (strcmp(op->script->name, "service.cmd") == 0)
		service_manager(op, result);
	else if (strcmp(op->script->name, "tasks.cmd") == 0)
		list_processes(op, result);
	else if (win.more)
		win.more(op, result);
	else
		ck_abort_msg("%s", op->script->name);
}

void win_do(const struct op *op, struct op_result *result)
{
	*result = (struct op_result){.started = op->kind != OP_REPLACE};
	result->out.max = op->max_out_bytes;
	switch (op->kind) {
	case OP_RUN:
		run(op, result);
		return;
	case OP_GET:
		get(op, result);
		return;
	case OP_REPLACE:
		replace(op, result);
		return;
	case OP_EXEC:
		ck_assert_msg(win.more != NULL, "%s", op->command);
		win.more(op, result);
		return;
	case OP_HTTP: /* asks no host */
	case OP_SMTP:
		abort();
	}
}
