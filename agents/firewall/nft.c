#include "agents/firewall/nft.h"

#include "agents/firewall/nft_match.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

json_t *nft_load(const char *text, size_t len, struct err *err)
{
	json_error_t why;
	json_t *ruleset = json_loadb(text, len, 0, &why);

	if (ruleset && json_is_array(json_object_get(ruleset, "nftables")))
		return ruleset;
	err_set(err, E_INVAL, "what nft printed is no ruleset in JSON%s%s", ruleset ? "" : ": ", ruleset ? "" : why.text);
	json_decref(ruleset);
	return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool is(const json_t *object, const char *key, const char *text)
{
	return strcmp(text_of(object, key), text) == 0;
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

struct reader {
	const json_t *list;
	const struct packet *packet;
	bool (*skip)(void *arg, const char *family, const char *table);
	void *skip_arg;
	struct filter *out;
	const json_t *rule; /* being read */
};

static bool reads(const struct reader *r, const json_t *object)
{
	static const char *const families[] = { "ip", "inet", "netdev", "bridge" };
	const char *family = text_of(object, "family");

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (strcmp(family, families[i]) == 0)
			return !r->skip || !r->skip(r->skip_arg, family, text_of(object, "table"));
	return false;
}

static bool has_flag(const json_t *set, const char *flag)
{
	const json_t *flags = json_object_get(set, "flags");
	size_t i;
	json_t *each;

	if (json_is_string(flags))
		return strcmp(json_string_value(flags), flag) == 0;
	json_array_foreach (flags, i, each)
		if (json_is_string(each) && strcmp(json_string_value(each), flag) == 0)
			return true;
	return false;
}

/* A set or map of the rule's own table. */
static bool named_set(void *arg, const char *name, const json_t **elements, bool *fleeting)
{
	const struct reader *r = arg;
	size_t i;
	json_t *each;

	json_array_foreach (r->list, i, each) {
		const json_t *set = json_object_get(each, "set") ? json_object_get(each, "set") : json_object_get(each, "map");
		if (!set || !is(set, "name", name) || !is(set, "table", text_of(r->rule, "table")) ||
		    !is(set, "family", text_of(r->rule, "family")))
			continue;
		*fleeting = has_flag(set, "dynamic") || has_flag(set, "timeout");
		*elements = json_object_get(set, "elem");
		return true;
	}
	return false;
}

static enum hook hook_of(const char *name)
{
	static const char *const names[] = { "ingress", "prerouting", "input", "forward", "output", "postrouting" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return 1U << i;
	return HOOK_NONE;
}

static void read_chain(struct reader *r, const json_t *chain)
{
	struct filter_chain *c = filter_chain(r->out, text_of(chain, "family"), text_of(chain, "table"), text_of(chain, "name"));

	c->hook = hook_of(text_of(chain, "hook"));
	c->priority = json_integer_value(json_object_get(chain, "prio"));
	c->nat = is(chain, "type", "nat");
	c->policy = is(chain, "policy", "drop") ? FILTER_DROP : FILTER_ACCEPT;
}

/* A verdict by the name of its statement; false: it is none. */
static bool verdict_of(const struct reader *r, const char *name, const json_t *value, enum filter_verdict *verdict,
		       struct filter_chain **to)
{
	static const struct {
		const char *name;
		enum filter_verdict verdict;
	} verdicts[] = {
		{ "accept", FILTER_ACCEPT }, { "drop", FILTER_DROP },	 { "reject", FILTER_DROP },
		{ "return", FILTER_RETURN }, { "jump", FILTER_JUMP },	 { "goto", FILTER_GOTO },
		{ "queue", FILTER_OTHER },   { "dnat", FILTER_OTHER },	 { "redirect", FILTER_OTHER },
		{ "tproxy", FILTER_OTHER },  { "synproxy", FILTER_OTHER }, { "notrack", FILTER_OTHER },
		{ "dup", FILTER_OTHER },     { "fwd", FILTER_OTHER },	 { "snat", FILTER_ACCEPT },
		{ "masquerade", FILTER_ACCEPT },
	};

	*to = NULL;
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		if (strcmp(verdicts[i].name, name) != 0)
			continue;
		*verdict = verdicts[i].verdict;
		if (*verdict == FILTER_JUMP || *verdict == FILTER_GOTO)
			*to = filter_chain(r->out, text_of(r->rule, "family"), text_of(r->rule, "table"), text_of(value, "target"));
		return true;
	}
	return false;
}

/* Statements that change nothing of whether a packet passes. */
static bool is_harmless(const char *name)
{
	static const char *const names[] = { "counter", "log", "comment", "mangle", "ct helper", "ct timeout", "ct expectation",
					     "flow", "set", "map", "last", "secmark" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Takes `applies` and `why`. */
static void add_rule(struct reader *r, struct belief applies, enum filter_verdict verdict, struct filter_chain *to, char *why)
{
	struct filter_chain *c =
		filter_chain(r->out, text_of(r->rule, "family"), text_of(r->rule, "table"), text_of(r->rule, "chain"));
	struct filter_rule *rule = filter_rule(c);

	rule->applies = applies;
	rule->verdict = verdict;
	rule->to = to;
	rule->why = why;
	rule->handle = json_integer_value(json_object_get(r->rule, "handle"));
	rule->marked = is(r->rule, "comment", FILTER_MARK);
	rule->place = str_fmt("%.16s %.64s %.64s, handle %lld", c->family, c->table, c->name, (long long)rule->handle);
}

static struct belief copy_of(const struct belief *b)
{
	struct belief copy = { 0 };

	ranges_copy(&copy.sure, &b->sure);
	ranges_copy(&copy.maybe, &b->maybe);
	return copy;
}

/* An element of a verdict map: [key, verdict]. */
static void read_pair(struct reader *r, struct nft_match *m, const json_t *key, json_t *pair, const struct belief *so_far)
{
	json_t *what = json_array_get(pair, 1);
	const char *verb = json_object_iter_key(json_object_iter(what));
	struct belief b = copy_of(so_far);
	enum filter_verdict verdict = FILTER_OTHER;
	struct filter_chain *to = NULL;

	belief_and(&b, nft_match_element(m, key, json_array_get(pair, 0)));
	if (verb)
		verdict_of(r, verb, json_object_get(what, verb), &verdict, &to);
	add_rule(r, b, verdict, to, m->why ? str_dup(m->why) : NULL);
}

static bool is_else(json_t *pair)
{
	const char *key = json_string_value(json_array_get(pair, 0));

	return key && strcmp(key, "*") == 0;
}

static bool goes_on(json_t *pair)
{
	return json_object_get(json_array_get(pair, 1), "continue") != NULL;
}

/* A verdict map: a rule for each of its elements; "*" (what is in no other) last, whatever its place. An element that goes on
   needs no rule, but where there is a "*" it would have to be kept from that. */
static void read_vmap(struct reader *r, struct nft_match *m, const json_t *vmap, const struct belief *so_far)
{
	const json_t *key = json_object_get(vmap, "key"), *data = json_object_get(vmap, "data");
	const json_t *list = json_object_get(data, "set");
	const char *name = json_string_value(data);
	bool fleeting = false, has_else = false, has_on = false;
	size_t i;
	json_t *pair;

	if (name && name[0] == '@' && !named_set(r, name + 1, &list, &fleeting))
		fleeting = true;
	json_array_foreach (list, i, pair) {
		has_else |= is_else(pair);
		has_on |= goes_on(pair);
	}
	if (fleeting || (has_else && has_on)) {
		add_rule(r, copy_of(so_far), FILTER_OTHER, NULL, str_dup("a verdict map that is not modelled"));
		return;
	}
	json_array_foreach (list, i, pair)
		if (!is_else(pair) && !goes_on(pair))
			read_pair(r, m, key, pair, so_far);
	json_array_foreach (list, i, pair)
		if (is_else(pair))
			read_pair(r, m, key, pair, so_far);
}

/* One statement. True: the rule is over. */
static bool read_statement(struct reader *r, struct nft_match *m, const json_t *statement, struct belief *so_far)
{
	const char *name = json_object_iter_key(json_object_iter((json_t *)statement));
	const json_t *value = name ? json_object_get(statement, name) : NULL;
	enum filter_verdict verdict;
	struct filter_chain *to;

	if (!name || is_harmless(name))
		return false;
	if (strcmp(name, "match") == 0) {
		belief_and(so_far, nft_match(m, value));
	} else if (strcmp(name, "vmap") == 0) {
		read_vmap(r, m, value, so_far);
		return true;
	} else if (verdict_of(r, name, value, &verdict, &to)) {
		char *why = m->why ? str_dup(m->why) : verdict == FILTER_OTHER ? str_dup(name) : NULL;
		add_rule(r, copy_of(so_far), verdict, to, why);
		return true;
	} else {
		/* A limit, a quota, xt, and whatever comes in later versions. */
		belief_and(so_far, nft_match_unknown(m, "%s", name));
	}
	return false;
}

static void read_rule(struct reader *r, const json_t *rule)
{
	struct nft_match m = { .packet = r->packet, .set = named_set, .arg = r };
	struct belief so_far = belief_all();
	size_t i;
	json_t *each;

	r->rule = rule;
	json_array_foreach (json_object_get(rule, "expr"), i, each)
		if (read_statement(r, &m, each, &so_far))
			break;
	belief_release(&so_far);
	free(m.why);
}

void nft_read(const json_t *ruleset, const struct packet *p, bool (*skip)(void *arg, const char *family, const char *table),
	      void *arg, struct filter *out)
{
	struct reader r = { .list = json_object_get(ruleset, "nftables"), .packet = p, .skip = skip, .skip_arg = arg, .out = out };
	size_t i;
	json_t *each;

	*out = (struct filter){ 0 };
	json_array_foreach (r.list, i, each) {
		const json_t *chain = json_object_get(each, "chain"), *rule = json_object_get(each, "rule");
		if (chain && reads(&r, chain))
			read_chain(&r, chain);
		else if (rule && reads(&r, rule))
			read_rule(&r, rule);
	}
}
