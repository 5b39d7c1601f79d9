#include "agents/firewall/iptables.h"
#include "agents/firewall/nft.h"
#include "agents/frames.h"
#include "agents/packet_filter.h"
#include "agents/script.h"

#include "base/alloc.h"

#define READ "firewall-read.sh"
#define READ_MAX_BYTES ((size_t)16 << 20)
#define SMTP_PORT 25

/* ---- what the host printed ---------------------------------------------------------------------------------------- */

/* Frames by name; a view. */
struct printed {
	const char *text;
	size_t len;
};

/* NULL: there is none; the caller frees. */
static char *printed_text(const struct printed *p, const char *name)
{
	struct frame f;

	return frames_find(p->text, p->len, name, &f) ? frame_text(&f) : NULL;
}

/* Lines as a set of addresses. */
static void addresses_of(const char *lines, struct ranges *out)
{
	char *text = str_dup(lines);
	struct ranges one = { 0 };
	struct range range;

	for (char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		bool more = line[len] == '\n';
		line[len] = 0;
		if (range_parse(&range, line, NULL) == 0) {
			ranges_one(&one, range.from, range.end);
			ranges_or(out, &one);
		}
		line += len + more;
	}
	ranges_release(&one);
	free(text);
}

/* The one interface of the way to all ranges; NULL: they differ, or one has none. The caller frees. */
static char *far_interface(const struct printed *p)
{
	char *text = printed_text(p, "route"), *name = NULL;
	bool differ = !text;

	for (const char *line = text; line && *line && !differ;) {
		size_t len = strcspn(line, "\n");
		differ = !len || (name && (strlen(name) != len || strncmp(name, line, len) != 0));
		if (!name)
			name = str_ndup(line, len);
		line += len + (line[len] == '\n');
	}
	free(text);
	if (!differ)
		return name;
	free(name);
	return NULL;
}

/* ---- what filters ------------------------------------------------------------------------------------------------- */

/* Everything that was read for one moment. */
struct filters {
	json_t *nft;
	char *iptables, *legacy, *sets;
	char *unread; /* why something could not be read */
	bool any;     /* there is something to read at all */
};

static void filters_release(struct filters *f)
{
	json_decref(f->nft);
	free(f->iptables);
	free(f->legacy);
	free(f->sets);
	free(f->unread);
}

static void read_nft(struct filters *f, char *text, char *failed)
{
	struct err err = { 0 };

	if (text)
		f->nft = nft_load(text, strlen(text), &err);
	if (failed)
		f->unread = str_fmt("nft cannot show the rules: %.200s", failed);
	else if (text && !f->nft)
		f->unread = str_dup(err.text);
	f->any |= text || failed;
	free(text);
	free(failed);
}

static struct filters filters_of(const struct printed *p, enum filter_when when)
{
	struct filters f = { 0 };

	read_nft(&f, printed_text(p, when == FILTER_NOW ? "nft" : "boot-nft"), printed_text(p, when == FILTER_NOW ? "nft-failed" : "boot-nft-failed"));
	f.iptables = printed_text(p, when == FILTER_NOW ? "iptables" : "boot-iptables");
	f.legacy = when == FILTER_NOW ? printed_text(p, "legacy") : NULL;
	f.sets = printed_text(p, when == FILTER_NOW ? "sets" : "boot-sets");
	f.any |= f.iptables || f.legacy;
	return f;
}

/* What iptables shows whole is better read there. */
static bool shown_by_iptables(void *arg, const char *family, const char *table)
{
	const struct filters *f = arg;

	return f->iptables && strcmp(family, "ip") == 0 && iptables_shows(f->iptables, table);
}

static void add_iptables(struct coverage *c, const struct packet *p, const char *saved, const char *sets, bool legacy)
{
	struct filter filter;
	struct err err = { 0 };
	size_t from = c->holes_n;

	if (!saved)
		return;
	if (iptables_read(saved, sets ? sets : "", p, &filter, &err) != 0) {
		coverage_unread(c, err.text);
		return;
	}
	coverage_add(c, p, &filter);
	for (size_t i = from; i < c->holes_n; i++)
		c->holes[i].legacy = legacy;
	filter_release(&filter);
}

static void cover(struct coverage *c, const struct coverage_question *q, const struct filters *f)
{
	coverage_begin(c, q);
	for (int i = 0; i < COVERAGE_PACKETS; i++) {
		struct filter filter;
		struct packet p;
		coverage_packet(q, i, &p);
		if (f->nft) {
			nft_read(f->nft, &p, shown_by_iptables, (void *)f, &filter);
			coverage_add(c, &p, &filter);
			filter_release(&filter);
		}
		add_iptables(c, &p, f->iptables, f->sets, false);
		add_iptables(c, &p, f->legacy, f->sets, true);
	}
	if (f->unread)
		coverage_unread(c, f->unread);
}

/* ---- what nothing loads at a boot ------------------------------------------------------------------------------------ */

#define LOADERS "nftables.service, netfilter-persistent, iptables.service"

/* All chains of one moment, as a packet meets them; what cannot be read is said elsewhere. */
struct chains {
	struct filter nft, iptables, legacy;
};

static struct chains chains_of(const struct filters *f, const struct packet *p)
{
	const char *sets = f->sets ? f->sets : "";
	struct chains c = { 0 };

	if (f->nft)
		nft_read(f->nft, p, shown_by_iptables, (void *)f, &c.nft);
	if (f->iptables)
		iptables_read(f->iptables, sets, p, &c.iptables, NULL);
	if (f->legacy)
		iptables_read(f->legacy, sets, p, &c.legacy, NULL);
	return c;
}

static void chains_release(struct chains *c)
{
	filter_release(&c->nft);
	filter_release(&c->iptables);
	filter_release(&c->legacy);
}

/* What the kernel calls ip filter, iptables-nft shows as its own. */
static bool is_in_place_of(const struct filter_chain *a, const struct filter_chain *b)
{
	const char *family = *a->family ? a->family : "ip", *other = *b->family ? b->family : "ip";

	return a->hook == b->hook && strcmp(a->table, b->table) == 0 && strcmp(family, other) == 0;
}

static bool has_place(const struct filter *f, const struct filter_chain *c)
{
	for (size_t i = 0; i < f->n; i++)
		if (is_in_place_of(f->chains[i], c))
			return true;
	return false;
}

/* As though no rule let anything pass: so a rule of ours, or a colleague's that is gone at the next boot, hides nothing. */
static void forget_accepts(struct filter *f)
{
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->chains[i]->n; k++)
			if (f->chains[i]->rules[k].verdict == FILTER_ACCEPT)
				belief_release(&f->chains[i]->rules[k].applies);
}

/* By its policy or a rule: one that bans other addresses only, as fail2ban's, does not. */
static bool can_drop(const struct filter_chain *c, const struct ranges *needed)
{
	struct filter_doubts doubts = { 0 };
	struct filter_end end;
	bool drops;

	filter_walk(c, needed, &end, &doubts);
	drops = end.dropped.n > 0;
	filter_doubts_release(&doubts);
	filter_end_release(&end);
	return drops;
}

/* The first chain on the packet's way that can drop it and is in none of what is loaded at a boot; the caller frees the sentence. */
static char *not_loaded(struct filter *now, bool legacy, const struct packet *p, const struct ranges *needed, const struct chains *boot)
{
	forget_accepts(now);
	for (size_t i = 0; i < now->n; i++) {
		const struct filter_chain *c = now->chains[i];
		if (!(c->hook & p->hooks) || (c->nat && p->established) || has_place(&boot->iptables, c) ||
		    (!legacy && has_place(&boot->nft, c)) || !can_drop(c, needed))
			continue;
		return str_fmt("the chain %.64s of the %.16s table %.64s can drop it, and nothing that is known to load rules at a boot (" LOADERS
			       ") has it", c->name, *c->family ? c->family : legacy ? "iptables-legacy" : "iptables", c->table);
	}
	return NULL;
}

/* What filters now came from somewhere else (rc.local, a unit of its own, a program): who knows what that does at the next boot? */
static void find_not_loaded(struct coverage *c, const struct coverage_question *q, const struct filters *now, const struct filters *boot)
{
	char *why = NULL;

	for (int i = 0; i < COVERAGE_PACKETS && !why; i++) {
		struct chains is, will;
		struct packet p;
		coverage_packet(q, i, &p);
		is = chains_of(now, &p);
		will = chains_of(boot, &p);
		why = not_loaded(&is.nft, false, &p, &q->needed, &will);
		if (!why)
			why = not_loaded(&is.iptables, false, &p, &q->needed, &will);
		if (!why)
			why = not_loaded(&is.legacy, true, &p, &q->needed, &will);
		chains_release(&is);
		chains_release(&will);
	}
	if (why)
		coverage_unread(c, why);
	free(why);
}

/* ---- our own rules -------------------------------------------------------------------------------------------------- */

static void find_marks_saved(struct filter_marks *m, const struct packet *p, const char *saved, const char *sets, const char *family,
			     bool in)
{
	struct filter filter;

	if (!saved || iptables_read(saved, sets ? sets : "", p, &filter, NULL) != 0)
		return;
	filter_marks_find(m, &filter, family, in);
	filter_release(&filter);
}

/* What is ours in the running filter. */
static void look_for_marks(const struct agent_ctx *ctx, struct coverage_question q, const struct filters *f)
{
	struct filter_marks m = { 0 };
	struct filter filter;
	struct packet p;

	for (int way = COVERAGE_IN; way <= COVERAGE_OUT; way++) {
		q.way = (enum coverage_way)way;
		coverage_packet(&q, 0, &p);
		if (f->nft) {
			nft_read(f->nft, &p, shown_by_iptables, (void *)f, &filter);
			filter_marks_find(&m, &filter, "", way == COVERAGE_IN);
			filter_release(&filter);
		}
		find_marks_saved(&m, &p, f->iptables, f->sets, "iptables", way == COVERAGE_IN);
		find_marks_saved(&m, &p, f->legacy, f->sets, "legacy", way == COVERAGE_IN);
	}
	filter_marks_keep(ctx, &m);
	buf_release(&m.lines);
}

/* ---- observe ------------------------------------------------------------------------------------------------------- */

/* Nothing that loads rules at a boot is known of: then what filters now may be gone or be another one. */
static void boot_unknown(struct filters *boot, const struct filters *now)
{
	if (!boot->any && now->any && !boot->unread)
		boot->unread = str_dup("nothing is known of that loads the rules at a boot (" LOADERS ")");
}

/* The profile's ranges as a set; false: one of them is not IPv4. */
static bool needed(const struct agent_ctx *ctx, struct ranges *out, struct verdict *verdict)
{
	const struct strings *texts = &ctx->inventory->profile->ranges;
	struct ranges one = { 0 };
	struct range range;
	struct err err = { 0 };

	for (size_t i = 0; i < texts->n; i++) {
		if (range_parse(&range, texts->at[i], &err) != 0) {
			*verdict = verdict_person("the ranges of the profile %s: %s; this version knows IPv4 only, look at the firewall by hand",
						  ctx->inventory->profile->name, err.text);
			return false;
		}
		ranges_one(&one, range.from, range.end);
		ranges_or(out, &one);
	}
	ranges_release(&one);
	return true;
}

enum step_request filters_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const struct strings *ranges = &ctx->inventory->profile->ranges;

	(void)item;
	if (n > 0)
		return OP_END;
	script_op(op, READ);
	op->max_out_bytes = READ_MAX_BYTES;
	for (size_t i = 0; i < ranges->n && i < OP_ARGS_MAX; i++)
		op_argf(op, "%.*s", (int)strcspn(ranges->at[i], "/-"), ranges->at[i]);
	return OP_DO;
}

bool filter_asks(const struct agent_ctx *ctx, enum coverage_way way)
{
	const json_t *list = json_object_get(ctx->params, "direction");
	size_t i;
	json_t *each;

	if (json_is_string(list))
		return strcmp(json_string_value(list), filter_way_names[way]) == 0;
	json_array_foreach (list, i, each)
		if (json_is_string(each) && strcmp(json_string_value(each), filter_way_names[way]) == 0)
			return true;
	return !list;
}

/* A frame as a fact, where there is one. */
static void keep_frame(const struct agent_ctx *ctx, const struct printed *p, const char *name, const char *key)
{
	struct frame f;

	facts_unset(ctx->now, key);
	if (frames_find(p->text, p->len, name, &f))
		facts_set(ctx->now, key, f.value, f.len);
}

/* What is asked, as far as the host's own addresses and ways are known: they are facts, for what is tried later. */
static struct coverage_question question(const struct agent_ctx *ctx, const struct ranges *wanted)
{
	struct coverage_question q = { .gateway = ctx->host->gateway, .port = SMTP_PORT, .needed = *wanted };

	q.interface = facts_text(ctx->now, "interface", NULL);
	if (!ctx->host->gateway)
		addresses_of(facts_text(ctx->now, "near", ""), &q.near);
	return q;
}

static void forget(const struct agent_ctx *ctx)
{
	static const char *const keys[] = { "now.gaps", "now.unfit", "boot.gaps", "boot.unfit", "interface" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		facts_unset(ctx->now, keys[i]);
}

static void look_at(const struct agent_ctx *ctx, const struct coverage_question *q, const struct filters *now, const struct filters *boot)
{
	struct coverage_question asked = *q;
	struct coverage c;

	for (int way = COVERAGE_IN; way <= COVERAGE_OUT; way++) {
		asked.way = (enum coverage_way)way;
		cover(&c, &asked, now);
		filter_keep(ctx, FILTER_NOW, &asked, &c);
		coverage_release(&c);
		cover(&c, &asked, boot);
		if (!boot->unread)
			find_not_loaded(&c, &asked, now, boot);
		filter_keep(ctx, FILTER_BOOT, &asked, &c);
		coverage_release(&c);
	}
	look_for_marks(ctx, *q, now);
}

static void look(const struct agent_ctx *ctx, const struct printed *p, const struct ranges *wanted)
{
	struct filters now = filters_of(p, FILTER_NOW), boot = filters_of(p, FILTER_BOOT);
	char *interface = far_interface(p);
	struct coverage_question q;

	forget(ctx);
	if (interface)
		facts_set_text(ctx->now, "interface", interface);
	keep_frame(ctx, p, "address", "near");
	keep_frame(ctx, p, "keeper", "keeper");
	keep_frame(ctx, p, "boot-nft-file", "nft.path");
	keep_frame(ctx, p, "boot-iptables-file", "iptables.path");
	q = question(ctx, wanted);
	if (!now.any && !now.unread)
		now.unread = str_dup("neither nft nor iptables is there to show what the kernel filters");
	boot_unknown(&boot, &now);
	look_at(ctx, &q, &now, &boot);
	ranges_release(&q.near);
	filters_release(&now);
	filters_release(&boot);
	free(interface);
}

struct verdict filters_were_read(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct printed p = { buf_str(&result->out), result->out.len };
	struct ranges wanted = { 0 };
	struct verdict verdict = verdict_ok();

	(void)n;
	if (!script_answered(result, READ, &verdict))
		return verdict;
	if (needed(ctx, &wanted, &verdict))
		look(ctx, &p, &wanted);
	ranges_release(&wanted);
	return verdict;
}

/* ---- looked at again ------------------------------------------------------------------------------------------------ */

static const char *of_way(enum coverage_way way)
{
	return way == COVERAGE_IN ? "mail from" : "mail to";
}

struct verdict filters_were_read_again(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct verdict verdict = filters_were_read(ctx, n, result);

	for (int i = 0; i < 4 && verdict.kind == VERDICT_OK; i++) {
		enum filter_when when = i < 2 ? FILTER_NOW : FILTER_BOOT;
		enum coverage_way way = i % 2 ? COVERAGE_OUT : COVERAGE_IN;
		if (!filter_asks(ctx, way) || strcmp(filter_fact(ctx, when, way, "kind"), "covered") == 0)
			continue;
		verdict = verdict_fail(E_CHANGED, "%s %s still does not pass on port 25%s (%s): somebody has changed the rules since, or "
						  "they do another thing than they say; look at them, then run again",
				       of_way(way), filter_fact(ctx, when, way, "missing"), when == FILTER_NOW ? "" : " after a reboot",
				       *filter_fact(ctx, when, way, "why") ? filter_fact(ctx, when, way, "why") : "it is dropped");
	}
	return verdict;
}

bool filters_tried(const struct agent_ctx *ctx, const char *text, size_t len, struct err *err)
{
	struct filters tried = { .nft = nft_load(text, len, err) };
	struct ranges wanted = { 0 };
	struct verdict verdict = verdict_ok();
	struct coverage_question q;
	bool covered = tried.nft && needed(ctx, &wanted, &verdict);

	q = question(ctx, &wanted);
	for (int way = COVERAGE_IN; way <= COVERAGE_OUT && covered; way++) {
		struct coverage c;
		q.way = (enum coverage_way)way;
		cover(&c, &q, &tried);
		covered = !filter_asks(ctx, q.way) || coverage_kind(&c) == COVERAGE_COVERED;
		if (!covered)
			err_set(err, E_INVAL, "it would not pass either (%s)",
				c.doubts.n ? c.doubts.at[0].why : "a later chain drops it");
		coverage_release(&c);
	}
	ranges_release(&q.near);
	ranges_release(&wanted);
	filters_release(&tried);
	return covered;
}
