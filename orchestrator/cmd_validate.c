/*
 * cutover validate: reads the inventory with all it includes and says every problem with its place. No host is
 * contacted, no state file is opened.
 */
#include "controller.h"
#include "exit.h"
#include "inventory/show.h"
#include "terminal.h"

/* As one word for a shell. */
static void add_word(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+=:@%,";

	if (word[strspn(word, plain)] == '\0') {
		buf_adds(out, word);
		return;
	}
	buf_addc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *word);
	}
	buf_addc(out, '\'');
}

static void add_count(struct buf *out, size_t n, const char *one, const char *before)
{
	buf_addf(out, "%s%zu %s%s", before, n, one, n == 1 ? "" : "s");
}

static void say_valid(const struct options *o, const struct inventory *inv)
{
	struct buf text = BUF_INIT;
	size_t hosts = 0;

	for (size_t i = 0; i < inv->tenants_n; i++)
		hosts += inv->tenants[i].hosts_n;
	buf_addf(&text, "%s is %svalid%s: ", o->inventory, terminal_style(STYLE_GREEN), terminal_style(STYLE_PLAIN));
	add_count(&text, inv->tenants_n, "tenant", "");
	add_count(&text, hosts, "host", ", ");
	add_count(&text, inv->procedure->steps_n, "step", ", ");
	buf_addf(&text, " of %s (profile %s).\nOnly files were read: no host was contacted.\nnext: cutover plan ",
		 inv->procedure->name, inv->profile->name);
	add_word(&text, o->inventory);
	terminal_say_text(buf_str(&text), text.len);
	buf_release(&text);
}

static int show(const struct options *o, struct inventory *inv, struct err *err)
{
	struct buf text = BUF_INIT;
	int rc = inventory_show(inv, o->show, &text, err);

	if (rc == 0)
		rc = terminal_put(buf_str(&text), text.len, err);
	buf_release(&text);
	return rc;
}

int cmd_validate(const struct options *o)
{
	int code = EXIT_DONE, rc = 0;
	struct err err = { 0 };
	struct inventory *inv = controller_load(o->inventory, &code);

	if (!inv)
		return code;
	if (o->show)
		rc = show(o, inv, &err);
	if (rc == 0)
		say_valid(o, inv);
	inventory_free(inv);
	return terminal_end(rc, &err);
}
