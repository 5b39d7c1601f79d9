#include "agents/ad_sync_service.h"

#include "agents/ad_sync_config.h"
#include "agents/win_text.h"

#include "base/alloc.h"

#define SERVICE "service"

/* The vendor's names, in the order in which the vendor has them stopped. */
static const char *const vendor_names[] = {
    "Hosted Email Security ActiveDirectory Sync Agent",
    "Hosted Email Security ActiveDirectory Sync Service",
};

/* ---- facts ------------------------------------------------------------------------------------------------------ */

int services_n(const struct facts *f)
{
	return fact_number(f, "service.n");
}

const char *service_key(const struct facts *f, int i)
{
	return fact_at(f, SERVICE, i, "key");
}

const char *service_name(const struct facts *f, int i)
{
	return fact_at(f, SERVICE, i, "name");
}

static long number_at(const struct facts *f, int i, const char *name)
{
	return strtol(fact_at(f, SERVICE, i, name), NULL, 10);
}

enum sc_state service_state(const struct facts *f, int i)
{
	return (enum sc_state)number_at(f, i, "state");
}

long service_pid(const struct facts *f, int i)
{
	return number_at(f, i, "pid");
}

bool service_runs(const struct facts *f, int i)
{
	enum sc_state state = service_state(f, i);

	return state == SC_RUNNING || state == SC_START_PENDING || state == SC_CONTINUE_PENDING;
}

bool service_is_disabled(const struct facts *f, int i)
{
	return number_at(f, i, "start") == SC_DISABLED;
}

static void set(struct facts *f, int i, const char *name, const char *text)
{
	char key[FACT_KEY_MAX];

	facts_set_text(f, fact_key(key, SERVICE, i, name), text);
}

static void set_number(struct facts *f, int i, const char *name, long number)
{
	char key[FACT_KEY_MAX];

	facts_setf(f, fact_key(key, SERVICE, i, name), "%ld", number);
}

int service_find(const struct facts *f, const char *key)
{
	for (int i = 0; i < services_n(f); i++) {
		if (*key && win_same(service_key(f, i), key))
			return i;
	}
	return -1;
}

bool service_ran(const struct agent_ctx *ctx, const char *key)
{
	const struct facts *f = ctx->before->n ? ctx->before : ctx->now;
	int i = service_find(f, key);

	return i >= 0 && service_runs(f, i);
}

/* Is `key` a line of the list of services that depend on i? */
static bool depends_on(const struct facts *f, int i, const char *key)
{
	const char *list = fact_at(f, SERVICE, i, "dependants"), *line;
	size_t at = 0, len;
	bool found = false;

	while (!found && win_line(list, strlen(list), &at, &line, &len)) {
		char *name = str_ndup(line, len);

		found = *key && win_same(name, key);
		free(name);
	}
	return found;
}

/* May i be stopped, with those in `gone` stopped already? */
static bool is_free(const struct facts *f, int i, const bool gone[SERVICES_MAX])
{
	for (int k = 0; k < services_n(f); k++) {
		if (k != i && !gone[k] && depends_on(f, i, service_key(f, k)))
			return false;
	}
	return true;
}

int service_to_stop(const struct facts *f, int n)
{
	bool gone[SERVICES_MAX] = {false};
	int next = 0;

	for (; n >= 0; n--) {
		int first = -1;

		next = -1;
		for (int i = 0; i < services_n(f) && next < 0; i++) {
			if (gone[i])
				continue;
			first = first < 0 ? i : first;
			if (is_free(f, i, gone))
				next = i;
		}
		/* Services that depend on each other in a ring do not exist; a host that says so is taken by its list.
		 */
		next = next < 0 ? first : next;
		gone[next] = true;
	}
	return next;
}

/* ---- sc.exe ----------------------------------------------------------------------------------------------------- */

void service_op(struct op *op, const char *verb, const char *key)
{
	script_op(op, "service.cmd");
	op_arg(op, verb);
	op_arg(op, key);
}

int service_failure(long code)
{
	switch (code) {
	case SC_ACCESS_DENIED:
		return E_PERM;
	case SC_NO_SUCH_SERVICE:
		return E_NOTFOUND;
	case SC_DEPENDENTS_RUNNING:
		return E_EXISTS;
	case SC_REQUEST_TIMEOUT:
		return E_TIMEOUT;
	default: /* any other code of sc.exe */
		return E_IO;
	}
}

/* The op ran and sc.exe ended with 0? Else *verdict says what. */
static bool answered(const struct op_result *result, const char *name, struct verdict *verdict)
{
	char words[SC_WORDS_MAX];

	if (result->failure.code)
		*verdict = verdict_fail(result->failure.code, "service.cmd: %s", result->failure.text);
	else if (sc_did_not_run(result->exit_code))
		*verdict = verdict_retry(E_IO, "the service \"%s\" could not be looked at: %s", name,
					 sc_words(result->exit_code, words));
	else if (result->exit_code)
		*verdict =
		    verdict_fail(service_failure(result->exit_code), "the service \"%s\" could not be looked at: %s",
				 name, sc_words(result->exit_code, words));
	else if (result->out.truncated)
		*verdict =
		    verdict_fail(E_LIMIT, "what sc.exe says of the service \"%s\" is longer than is allowed", name);
	else
		return true;
	return false;
}

static struct verdict unreadable(const char *name, const char *verb)
{
	return verdict_retry(E_PROTOCOL, "the answer of sc %s about the service \"%s\" cannot be read", verb, name);
}

bool service_answered(const struct agent_ctx *ctx, const char *key, const struct op_result *result,
		      struct sc_status *status, struct verdict *verdict)
{
	int i = service_find(ctx->now, key);
	const char *name = i >= 0 ? service_name(ctx->now, i) : key;

	if (!answered(result, name, verdict))
		return false;
	if (!sc_status_read(buf_str(&result->out), result->out.len, status)) {
		*verdict = unreadable(name, "queryex");
		return false;
	}
	if (i >= 0) {
		set_number(ctx->now, i, "state", (long)status->state);
		if (status->pid)
			set_number(ctx->now, i, "pid", (long)status->pid);
	}
	return true;
}

/* ---- observe: which ------------------------------------------------------------------------------------------------
 */

static const json_t *named(const struct agent_ctx *ctx)
{
	return json_object_get(ctx->params, "services");
}

/* The name of the n-th that is looked for, or NULL behind the last. */
static const char *wanted(const struct agent_ctx *ctx, int n)
{
	if (n >= SERVICES_MAX)
		return NULL;
	if (named(ctx))
		return json_string_value(json_array_get(named(ctx), (size_t)n));
	return (size_t)n < ARRAY_LEN(vendor_names) ? vendor_names[n] : NULL;
}

enum step_request services_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *name = wanted(ctx, n);

	item[0] = '\0';
	if (!name || ctx->host->os != OS_WINDOWS)
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", name);
	if (!win_is_argument(name))
		return OP_SKIP;
	service_op(op, named(ctx) ? "getdisplayname" : "getkeyname", name);
	return OP_DO;
}

/* A key name that can be asked about and be an item; else it is left out, and assess says so. */
static void set_key(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *key;
	size_t len;
	char *text = NULL;

	if (named(ctx))
		text = str_dup(wanted(ctx, n));
	else if (sc_key_read(buf_str(&result->out), result->out.len, &key, &len))
		text = win_text(key, len);
	if (text && strlen(text) < ITEM_MAX && win_is_argument(text))
		set(ctx->now, n, "key", text);
	else
		set(ctx->now, n, "unreadable", "yes");
	free(text);
}

struct verdict services_found(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *name = wanted(ctx, n);
	struct verdict verdict;

	facts_setf(ctx->now, "service.n", "%d", n + 1);
	set(ctx->now, n, "name", name);
	set(ctx->now, n, "key", "");
	if (!result->failure.code && result->exit_code == SC_NO_SUCH_SERVICE)
		return verdict_ok();
	if (!answered(result, name, &verdict))
		return verdict;
	set_key(ctx, n, result);
	return verdict_ok();
}

/* ---- observe: how ----------------------------------------------------------------------------------------------- */

/* The op `sc VERB KEY` for the n-th that is on the host. */
static enum step_request look(const struct agent_ctx *ctx, int n, const char *verb, struct op *op, char item[ITEM_MAX])
{
	item[0] = '\0';
	if (n >= services_n(ctx->now))
		return OP_END;
	snprintf(item, ITEM_MAX, "%s", service_key(ctx->now, n));
	if (!*item)
		return OP_SKIP;
	service_op(op, verb, item);
	return OP_DO;
}

enum step_request state_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	return look(ctx, n, "queryex", op, item);
}

struct verdict state_seen(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct sc_status status;
	struct verdict verdict;

	if (!service_answered(ctx, service_key(ctx->now, n), result, &status, &verdict))
		return verdict;
	return verdict_ok();
}

enum step_request settings_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	enum step_request request = look(ctx, n, "qc", op, item);

	if (request == OP_DO)
		op_arg(op, "8192"); /* the most that QueryServiceConfig has */
	return request;
}

/* Without its arguments: there may be a secret in them. */
static void set_program(struct facts *f, int i, const char *command_line, size_t len)
{
	char *text = command_line ? win_text(command_line, len) : NULL, *program = text ? win_program(text) : NULL;

	set(f, i, "program", program ? program : "");
	set(f, i, "command", !program && text && *text ? "unclear" : "");
	free(program);
	free(text);
}

struct verdict settings_seen(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	const char *name = service_name(ctx->now, n), *command_line;
	struct verdict verdict;
	enum sc_start start;
	size_t len;

	if (!answered(result, name, &verdict))
		return verdict;
	if (!sc_config_read(buf_str(&result->out), result->out.len, &start, &command_line, &len))
		return unreadable(name, "qc");
	set_number(ctx->now, n, "start", (long)start);
	set_program(ctx->now, n, command_line, len);
	ad_config_place(ctx);
	return verdict_ok();
}

enum step_request dependants_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	enum step_request request = look(ctx, n, "enumdepend", op, item);

	if (request == OP_DO)
		op_arg(op, "65536"); /* the most that EnumDependentServices fills */
	return request;
}

struct verdict dependants_seen(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct buf list = BUF_INIT, foreign = {.max = 300};
	struct verdict verdict;
	enum sc_state state;
	size_t at = 0, len;
	const char *key;

	if (!answered(result, service_name(ctx->now, n), &verdict))
		return verdict;
	while (sc_dependant_next(buf_str(&result->out), result->out.len, &at, &key, &len, &state)) {
		char *name = win_text_shown(key, len);

		buf_addf(&list, "%s\n", name);
		if (service_find(ctx->now, name) < 0 && state != SC_STOPPED)
			buf_addf(&foreign, "%s%s", foreign.len ? ", " : "", name);
		free(name);
	}
	set(ctx->now, n, "dependants", buf_str(&list));
	if (foreign.len)
		set(ctx->now, n, "foreign", buf_str(&foreign));
	buf_release(&list);
	buf_release(&foreign);
	return verdict_ok();
}

/* ---- assess ----------------------------------------------------------------------------------------------------- */

/* Names of those that are on the host, or of those that are not. */
static char *names(const struct facts *f, bool there)
{
	struct buf out = {.max = 600};

	for (int i = 0; i < services_n(f); i++) {
		if ((*service_key(f, i) != '\0') == there)
			buf_addf(&out, "%s\"%s\"", out.len ? ", " : "", service_name(f, i));
	}
	return buf_detach(&out);
}

static bool has(const struct facts *f, int i, const char *name)
{
	char key[FACT_KEY_MAX];

	return facts_get(f, fact_key(key, SERVICE, i, name)) != NULL;
}

static bool any_unreadable(const struct facts *f)
{
	for (int i = 0; i < services_n(f); i++) {
		if (has(f, i, "unreadable"))
			return true;
	}
	return false;
}

static double wait_s(const struct agent_ctx *ctx, double usual)
{
	const json_t *given = json_object_get(ctx->params, "wait_s");

	return given ? json_number_value(given) : usual;
}

int64_t services_patience_ms(const struct agent_ctx *ctx, int64_t usual_ms)
{
	return (int64_t)(wait_s(ctx, (double)usual_ms / 1000) * 1000);
}

static bool wait_is_good(const struct agent_ctx *ctx, struct assessment *out)
{
	double s = wait_s(ctx, 1);

	if (s >= 1 && s <= WAIT_MAX_S)
		return true;
	assessment_set(out, ASSESS_PERSON,
		       "`wait_s` is in seconds, 1 to %d: how long a service may take to stop, and a file may be held",
		       WAIT_MAX_S);
	return false;
}

static bool names_are_good(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *name;
	int n = 0;

	if (ctx->host->os != OS_WINDOWS) {
		assessment_set(
		    out, ASSESS_PERSON,
		    "the sync client for Active Directory is a client for Windows: say what the host is (`os`)");
		return false;
	}
	for (; (name = wanted(ctx, n)) != NULL; n++) {
		if (win_is_argument(name))
			continue;
		assessment_set(out, ASSESS_PERSON, "\"%s\" cannot be a service's key name: see `services`", name);
		return false;
	}
	if (n && !json_array_get(named(ctx), SERVICES_MAX))
		return true;
	assessment_set(out, ASSESS_PERSON, "`services` names %s services: name those of the sync client",
		       n ? "too many" : "no");
	return false;
}

static void not_there(const struct agent_ctx *ctx, struct assessment *out)
{
	char *missing = names(ctx->now, false), *there = names(ctx->now, true);

	if (any_unreadable(ctx->now))
		assessment_set(out, ASSESS_PERSON, "the key name of a service cannot be read: name them (`services`)");
	else if (named(ctx))
		assessment_set(out, ASSESS_DRIFT,
			       "there is no service %s on the host, which the inventory names (`services`)", missing);
	else if (!*there)
		assessment_set(out, ASSESS_DRIFT,
			       "neither of the client's services is on the host (%s): name them by their key names "
			       "(`services`), or take ad-sync-client off this host in the inventory",
			       missing);
	else
		assessment_set(
		    out, ASSESS_PERSON,
		    "only one of the client's two services is on the host: %s is, %s is not; where that is as it "
		    "should be, name the one by its key name (`services`)",
		    there, missing);
	free(missing);
	free(there);
}

bool services_assess(const struct agent_ctx *ctx, struct assessment *out)
{
	if (!names_are_good(ctx, out) || !wait_is_good(ctx, out))
		return false;
	for (int i = 0; i < services_n(ctx->now); i++) {
		if (*service_key(ctx->now, i))
			continue;
		not_there(ctx, out);
		return false;
	}
	return true;
}

/* Can it be stopped, and started again? Asked before anything is changed only: what is ours already is gone on with. */
static bool may_be_stopped(const struct agent_ctx *ctx, int i, struct assessment *out)
{
	const struct facts *f = ctx->now;
	enum sc_state state = service_state(f, i);
	const char *name = service_name(f, i);

	if (has(f, i, "foreign"))
		assessment_set(
		    out, ASSESS_PERSON,
		    "services that are not the sync client's depend on \"%s\" and are running: %s; stop them for "
		    "the time of the change, then run cutover again",
		    name, fact_at(f, SERVICE, i, "foreign"));
	else if (!ctx->before->n && state != SC_RUNNING && state != SC_START_PENDING)
		assessment_set(out, ASSESS_PERSON,
			       "the service \"%s\" is %s: let it run or stop it, then run cutover again", name,
			       sc_state_name(state));
	else if (service_is_disabled(f, i))
		assessment_set(
		    out, ASSESS_PERSON,
		    "the service \"%s\" runs, but its start type is disabled: once stopped it could not be started "
		    "again; set its start type, or stop it, then run cutover again",
		    name);
	else
		return true;
	return false;
}

static void note(const struct agent_ctx *ctx, int i, struct assessment *out)
{
	const struct facts *f = ctx->now;
	const char *name = service_name(f, i), *start = sc_start_name((enum sc_start)number_at(f, i, "start"));

	if (service_state(f, i) != SC_STOPPED)
		assessment_note(out, "the service \"%s\" (%s, start type %s) is stopped meanwhile", name,
				service_key(f, i), start);
	else if (ctx->before->n && service_ran(ctx, service_key(f, i)))
		assessment_note(out, "the service \"%s\" (%s) is stopped by us and is started again", name,
				service_key(f, i));
	else
		assessment_note(
		    out,
		    "the service \"%s\" (%s, start type %s) is stopped already and is left so; the step then waits "
		    "for a person",
		    name, service_key(f, i), start);
}

bool services_assess_stop(const struct agent_ctx *ctx, struct assessment *out)
{
	for (int i = 0; i < services_n(ctx->now); i++) {
		if (service_state(ctx->now, i) != SC_STOPPED && !may_be_stopped(ctx, i, out))
			return false;
	}
	for (int i = 0; i < services_n(ctx->now); i++)
		note(ctx, service_to_stop(ctx->now, i), out);
	return true;
}

char *services_not_running(const struct facts *f)
{
	struct buf out = {.max = 600};

	for (int i = 0; i < services_n(f); i++) {
		if (service_runs(f, i))
			continue;
		buf_addf(&out, "%sthe service \"%s\" is %s", out.len ? ", " : "", service_name(f, i),
			 sc_state_name(service_state(f, i)));
		if (service_is_disabled(f, i))
			buf_adds(&out, " and disabled");
	}
	return out.len ? buf_detach(&out) : str_dup("");
}
