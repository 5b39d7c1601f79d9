/* What was learnt, as a file for a person to review: learn_write. */
#include "base/alloc.h"
#include "base/utf8.h"
#include "engine/learn.h"

const char *learn_result_word(enum learn_result result)
{
	switch (result) {
	case LEARN_NONE:
		return "not looked at";
	case LEARN_PROVED:
		return "proved";
	case LEARN_UNPROVED:
		return "unproved";
	case LEARN_KNOWN:
		return "known";
	case LEARN_WRONG:
		return "another machine";
	case LEARN_REFUSED:
		return "another key";
	case LEARN_FAILED:
		return "no login";
	case LEARN_BEHIND:
		return "not looked at yet";
	case LEARN_RESULTS:
		break;
	}
	return "";
}

void learned_name(const struct learned *r, struct buf *out)
{
	if (r->bastion)
		buf_addf(out, "bastion %s", r->bastion->name);
	else
		buf_addf(out, "%s/%s", r->tenant->id, r->host->name);
}

/* One comment, whatever a host has said. */
static void comment(struct buf *out, char *text)
{
	utf8_printable(text);
	buf_addf(out, "# %s\n", text);
	free(text);
}

/* ED25519, as `ssh-keygen -l` has it behind the fingerprint. */
static const char *kind_of(const char *key)
{
	if (strncmp(key, "ssh-ed25519 ", 12) == 0)
		return "ED25519";
	return strncmp(key, "ecdsa-", 6) == 0 ? "ECDSA" : "RSA";
}

/* "acme/sync1 (10.0.0.1 port 22, by way of the bastion tokyo)" */
static char *who(const struct learned *r)
{
	const struct connection *c = r->bastion ? &r->bastion->connection : &r->host->connection;
	const struct connection *way = &r->host->connection;
	struct buf out = BUF_INIT;

	learned_name(r, &out);
	buf_addf(&out, " (%s port %d", c->address, c->port);
	for (size_t i = 0; i < way->via_n && way->via[i] != r->bastion; i++)
		buf_addf(&out, "%s%s", i ? ", " : ", by way of bastion ", way->via[i]->name);
	if (way->via_command && way->via_n == 0)
		buf_addf(&out, ", by a command");
	buf_addc(&out, ')');
	return buf_detach(&out);
}

static void write_key(struct buf *out, const struct learned *r)
{
	int type_len = (int)strcspn(r->key, " ");
	const char *fingerprint = r->key + type_len + (r->key[type_len] == ' '), *mark = "";

	comment(out, str_fmt("%d %s %s (%s)", r->bits, fingerprint, r->name, kind_of(r->key)));
	if (r->ambiguous)
		comment(out, str_fmt("ambiguous: %s; pin it by host_key", r->ambiguous));
	comment(out, str_fmt("\"host_key\": \"%s\"", r->key));
	if (r->result == LEARN_UNPROVED)
		mark = "# unproved: ";
	else if (r->ambiguous)
		mark = "# ambiguous: ";
	buf_addf(out, "%s%s %.*s %s\n", mark, r->name, type_len, r->key, r->blob);
}

static void write_one(struct buf *out, const struct learned *r)
{
	char when[TIME_TEXT_MAX], *name = who(r);
	bool counts = r->result == LEARN_PROVED || r->result == LEARN_UNPROVED;

	buf_addc(out, '\n');
	if (counts)
		comment(out, str_fmt("%s answered %s as %s", name, time_format(r->wall_ms, 0, when), r->banner));
	else
		comment(out, str_fmt("%s: no key", name));
	comment(out, str_fmt("%s: %s", learn_result_word(r->result), r->text));
	if (counts)
		write_key(out, r);
	free(name);
}

void learn_write(const struct learn *l, const char *inventory, struct buf *out)
{
	size_t n;
	const struct learned *all = learn_results(l, &n);

	comment(out, str_fmt("Host keys as the hosts of %s showed them to `cutover plan --learn-keys`.", inventory));
	buf_adds(out,
		 "# Nothing trusts this file yet. Look at each line, compare its fingerprint with what the host itself says at its\n"
		 "# console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then name the file as \"known_hosts\" in the inventory,\n"
		 "# or copy a \"host_key\" to its host. A key that nothing has proved is a comment: take \"# unproved: \" away once it\n"
		 "# was compared.\n");
	for (size_t i = 0; i < n; i++)
		if (all[i].result != LEARN_KNOWN)
			write_one(out, &all[i]);
}
