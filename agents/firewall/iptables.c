#include "agents/firewall/iptables.h"

#include "agents/firewall/ipset.h"
#include "agents/firewall/words.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reader {
	const char *sets;
	const struct packet *packet;
	struct filter *out;
	char *table;
	long line;
};

/* A rule that is being read. */
struct parse {
	struct reader *r;
	const struct words *words;
	size_t i;	  /* of the word to be read next */
	bool negated;	  /* a "!" stands before it */
	struct belief applies;
	char *why;
	const char *target;
	bool go;
	bool notrack;
	bool marked;
};

/* ---- matches -------------------------------------------------------------------------------------------------------- */

static struct belief unknown(struct parse *p, const char *what)
{
	if (!p->why)
		p->why = str_dup(what);
	return belief_unsure();
}

static struct belief known(struct parse *p, struct belief b, const char *what)
{
	if (!belief_is_sure(&b) && !p->why)
		p->why = str_dup(what);
	return b;
}

static struct belief address(struct parse *p, bool source, const char *text)
{
	struct ranges set = { 0 };
	struct range one;
	struct belief b;

	if (range_parse(&one, text, NULL) != 0)
		return unknown(p, text);
	ranges_one(&set, one.from, one.end);
	b = packet_address(p->r->packet, source, &set);
	ranges_release(&set);
	return known(p, b, "the address of this side");
}

/* "25", "1024:65535", ":1023", "1024:" */
static bool port_range(const char *text, size_t len, struct range *out)
{
	char copy[16], *colon, *end;

	if (!len || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	colon = strchr(copy, ':');
	if (colon)
		*colon = 0;
	unsigned long first = strtoul(copy, &end, 10);
	if (*end)
		return false;
	unsigned long last = !colon ? first : colon[1] ? strtoul(colon + 1, &end, 10) : PORTS_END - 1;
	*out = (struct range){ first, last + 1 };
	return !*end && first <= last && last < PORTS_END;
}

/* Ranges with commas between them. */
static bool ports_of(struct ranges *out, const char *text)
{
	struct ranges one = { 0 };
	struct range range;

	for (size_t len; (len = strcspn(text, ",")); text += len + (text[len] == ',')) {
		if (!port_range(text, len, &range))
			return false;
		ranges_one(&one, range.from, range.end);
		ranges_or(out, &one);
		ranges_release(&one);
	}
	return out->n && !*text;
}

static struct belief ports(struct parse *p, bool source, const char *text)
{
	struct ranges set = { 0 };
	struct belief b;

	b = ports_of(&set, text) ? known(p, packet_port(p->r->packet, source, &set), "the port of the other side")
				 : unknown(p, "ports");
	ranges_release(&set);
	return b;
}

static struct belief m_source(struct parse *p, const char *text, const char *more)
{
	(void)more;
	return address(p, true, text);
}

static struct belief m_destination(struct parse *p, const char *text, const char *more)
{
	(void)more;
	return address(p, false, text);
}

static struct belief m_protocol(struct parse *p, const char *text, const char *more)
{
	static const char *const names[] = { "tcp", "6", "all", "0" };

	(void)p, (void)more;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(text, names[i]) == 0)
			return belief_all();
	return belief_none();
}

static struct belief interface(struct parse *p, bool in, const char *name)
{
	struct belief b = packet_interface(p->r->packet, in, name);

	if (!belief_is_sure(&b) && !p->why)
		p->why = str_fmt("the interface %.32s", name);
	return b;
}

static struct belief m_in(struct parse *p, const char *name, const char *more)
{
	(void)more;
	return interface(p, true, name);
}

static struct belief m_out(struct parse *p, const char *name, const char *more)
{
	(void)more;
	return interface(p, false, name);
}

static struct belief m_source_port(struct parse *p, const char *text, const char *more)
{
	(void)more;
	return ports(p, true, text);
}

static struct belief m_destination_port(struct parse *p, const char *text, const char *more)
{
	(void)more;
	return ports(p, false, text);
}

/* multiport --ports: either of the two. */
static struct belief m_either_port(struct parse *p, const char *text, const char *more)
{
	struct belief b = ports(p, true, text);

	(void)more;
	belief_or(&b, ports(p, false, text));
	return b;
}

static struct belief m_set(struct parse *p, const char *name, const char *directions)
{
	char *why;
	struct belief b = ipset_match(p->r->sets, p->r->packet, name, directions, &why);

	if (why && !p->why)
		p->why = str_dup(why);
	free(why);
	return known(p, b, "the address of this side");
}

/* SNAT and DNAT are no states but marks that conntrack(8) lists with them. */
static struct belief m_state(struct parse *p, const char *list, const char *more)
{
	unsigned states = 0;
	bool other = false;
	struct belief b;

	(void)more;
	for (size_t len; (len = strcspn(list, ",")); list += len + (list[len] == ',')) {
		char name[16] = "";
		memcpy(name, list, len < sizeof(name) - 1 ? len : sizeof(name) - 1);
		states |= ct_state(name);
		other |= ct_state(name) == 0;
	}
	b = packet_state(p->r->packet, states);
	if (other)
		belief_or(&b, unknown(p, "a state of another kind"));
	return b;
}

static struct belief m_comment(struct parse *p, const char *text, const char *more)
{
	(void)more;
	p->marked |= strcmp(text, FILTER_MARK) == 0;
	return belief_all();
}

/* "FIN,SYN,RST,ACK" */
static unsigned flags_of(const char *list)
{
	unsigned flags = 0;

	if (strcasecmp(list, "ALL") == 0)
		return TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG;
	for (size_t len; (len = strcspn(list, ",")); list += len + (list[len] == ',')) {
		char name[8] = "";
		memcpy(name, list, len < sizeof(name) - 1 ? len : sizeof(name) - 1);
		flags |= tcp_flag(name);
	}
	return flags;
}

static struct belief m_flags(struct parse *p, const char *mask, const char *set)
{
	return known(p, packet_flags(p->r->packet, flags_of(mask), flags_of(set)), "TCP flags");
}

static struct belief m_syn(struct parse *p, const char *text, const char *more)
{
	(void)text, (void)more;
	return m_flags(p, "FIN,SYN,RST,ACK", "SYN");
}

static struct belief m_fragment(struct parse *p, const char *text, const char *more)
{
	(void)p, (void)text, (void)more;
	return belief_none();
}

/* addrtype: what comes from far away does not come from here, and what is for this machine does not go elsewhere. */
static struct belief m_source_type(struct parse *p, const char *type, const char *more)
{
	(void)more;
	if (strcmp(type, "LOCAL") == 0 && p->r->packet->from_far)
		return belief_none();
	return unknown(p, "the type of an address");
}

static struct belief m_destination_type(struct parse *p, const char *type, const char *more)
{
	(void)more;
	if (strcmp(type, "LOCAL") == 0 && (p->r->packet->hooks & HOOK_INPUT))
		return belief_all();
	return unknown(p, "the type of an address");
}

/* What iptables-save prints; more of the same modules is not modelled. */
static const struct option {
	const char *name;
	size_t words;
	struct belief (*read)(struct parse *p, const char *text, const char *more);
} options[] = {
	{ "-s", 1, m_source },
	{ "-d", 1, m_destination },
	{ "-p", 1, m_protocol },
	{ "-i", 1, m_in },
	{ "-o", 1, m_out },
	{ "-f", 0, m_fragment },
	{ "--sport", 1, m_source_port },
	{ "--dport", 1, m_destination_port },
	{ "--sports", 1, m_source_port },
	{ "--dports", 1, m_destination_port },
	{ "--ports", 1, m_either_port },
	{ "--src-range", 1, m_source },
	{ "--dst-range", 1, m_destination },
	{ "--match-set", 2, m_set },
	{ "--ctstate", 1, m_state },
	{ "--state", 1, m_state },
	{ "--comment", 1, m_comment },
	{ "--tcp-flags", 2, m_flags },
	{ "--syn", 0, m_syn },
	{ "--src-type", 1, m_source_type },
	{ "--dst-type", 1, m_destination_type },
};

/* ---- rules ---------------------------------------------------------------------------------------------------------- */

static const char *word(const struct parse *p)
{
	return words_at(p->words, p->i);
}

static bool is_one_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Behind a module that is not modelled: on to the next module or the target. */
static void skip_options(struct parse *p)
{
	while (p->i < p->words->n && strcmp(word(p), "-m") != 0 && strcmp(word(p), "-j") != 0 && strcmp(word(p), "-g") != 0)
		p->i++;
}

static void read_module(struct parse *p)
{
	static const char *const modules[] = { "tcp", "udp", "icmp", "multiport", "iprange", "set", "conntrack", "state",
					       "comment", "addrtype" };
	const char *name = word(p);

	p->i++;
	if (is_one_of(modules, ARRAY_LEN(modules), name))
		return;
	if (!p->why)
		p->why = str_fmt("the module %.32s", name);
	belief_and(&p->applies, belief_unsure());
	skip_options(p);
}

static void read_target(struct parse *p, bool go)
{
	p->target = word(p);
	p->go = go;
	while (p->i < p->words->n)
		p->notrack |= strcmp(words_at(p->words, p->i++), "--notrack") == 0;
}

static void read_match(struct parse *p, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option *o = &options[i];
		struct belief b;
		if (strcmp(o->name, name) != 0)
			continue;
		b = o->read(p, word(p), words_at(p->words, p->i + 1));
		if (p->negated)
			belief_not(&b);
		belief_and(&p->applies, b);
		p->i += o->words;
		return;
	}
	if (!p->why)
		p->why = str_fmt("the option %.32s", name);
	belief_and(&p->applies, belief_unsure());
	skip_options(p);
}

static void read_words(struct parse *p)
{
	while (p->i < p->words->n) {
		const char *name = word(p);
		p->i++;
		if (strcmp(name, "!") == 0) {
			p->negated = true;
			continue;
		}
		if (strcmp(name, "-m") == 0)
			read_module(p);
		else if (strcmp(name, "-j") == 0 || strcmp(name, "-g") == 0)
			read_target(p, strcmp(name, "-g") == 0);
		else
			read_match(p, name);
		p->negated = false;
	}
}

/* Targets behind which the next rule is read: the packet is not decided on. */
static bool goes_on(const char *target)
{
	static const char *const names[] = { "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "SET", "TCPMSS", "TCPOPTSTRIP", "TOS",
					     "DSCP", "TTL", "CLASSIFY", "AUDIT", "CHECKSUM", "TRACE", "SECMARK",
					     "CONNSECMARK", "CT", "RATEEST", "LED", "IDLETIMER" };

	return is_one_of(names, ARRAY_LEN(names), target);
}

static enum filter_verdict verdict_of(const char *target)
{
	if (strcmp(target, "ACCEPT") == 0 || strcmp(target, "SNAT") == 0 || strcmp(target, "MASQUERADE") == 0)
		return FILTER_ACCEPT;
	if (strcmp(target, "DROP") == 0 || strcmp(target, "REJECT") == 0)
		return FILTER_DROP;
	if (strcmp(target, "RETURN") == 0)
		return FILTER_RETURN;
	return FILTER_OTHER;
}

/* A chain of that name that was listed (":NAME"); iptables-save lists them all before the first rule. */
static struct filter_chain *listed(struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->out->n; i++)
		if (strcmp(r->out->chains[i]->name, name) == 0 && strcmp(r->out->chains[i]->table, r->table) == 0)
			return r->out->chains[i];
	return NULL;
}

static void add_rule(struct parse *p, struct filter_chain *c, int64_t number)
{
	struct filter_chain *to = listed(p->r, p->target);
	struct filter_rule *rule = filter_rule(c);

	rule->handle = number;
	rule->marked = p->marked;
	rule->applies = p->applies;
	p->applies = (struct belief){ 0 };
	rule->to = to;
	rule->verdict = to ? (p->go ? FILTER_GOTO : FILTER_JUMP) : verdict_of(p->target);
	if (p->notrack)
		rule->verdict = FILTER_OTHER;
	rule->place = str_fmt("iptables table %.16s, chain %.32s, rule %lld", c->table, c->name, (long long)number);
	rule->why = p->why ? str_dup(p->why) : rule->verdict == FILTER_OTHER ? str_fmt("the target %.32s", p->target) : NULL;
}

/* "-A CHAIN …". A rule without a target, or with one that does not decide, only counts. */
static int read_rule(struct reader *r, const struct words *w, int64_t number, struct err *err)
{
	struct filter_chain *c = listed(r, words_at(w, 1));
	struct parse p = { .r = r, .words = w, .i = 2 };

	if (!c)
		return err_set(err, E_INVAL, "iptables-save, line %ld: a rule of a chain that is not listed", r->line);
	p.applies = belief_all();
	read_words(&p);
	if (p.target && (!goes_on(p.target) || p.notrack))
		add_rule(&p, c, number);
	belief_release(&p.applies);
	free(p.why);
	return 0;
}

/* ---- lines ---------------------------------------------------------------------------------------------------------- */

static enum hook hook_of(const char *name)
{
	static const struct {
		const char *name;
		enum hook hook;
	} hooks[] = {
		{ "PREROUTING", HOOK_PREROUTING }, { "INPUT", HOOK_INPUT },	       { "FORWARD", HOOK_FORWARD },
		{ "OUTPUT", HOOK_OUTPUT },	   { "POSTROUTING", HOOK_POSTROUTING },
	};

	for (size_t i = 0; i < ARRAY_LEN(hooks); i++)
		if (strcmp(hooks[i].name, name) == 0)
			return hooks[i].hook;
	return HOOK_NONE;
}

/* ":INPUT DROP [0:0]"; a chain of the user's own has "-" for a policy. */
static void read_chain(struct reader *r, const struct words *w)
{
	const char *policy = words_at(w, 1), *name = w->at[0] + 1;
	struct filter_chain *c = filter_chain(r->out, "", r->table, name);

	c->hook = strcmp(policy, "-") == 0 ? HOOK_NONE : hook_of(name);
	c->policy = strcmp(policy, "DROP") == 0 ? FILTER_DROP : FILTER_ACCEPT;
	c->nat = strcmp(r->table, "nat") == 0;
}

/* How many "-A CHAIN" came before: a rule's number is what `iptables -I CHAIN NUMBER` takes, rules that only count are rules, too. */
struct count {
	char *chain;
	int64_t n;
};

struct counts {
	struct count *at;
	size_t n;
};

static int64_t next_number(struct counts *c, const char *chain)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->at[i].chain, chain) == 0)
			return ++c->at[i].n;
	GROW_FOR_ONE(c->at, c->n);
	c->at[c->n++] = (struct count){ str_dup(chain), 1 };
	return 1;
}

static void counts_clear(struct counts *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->at[i].chain);
	free(c->at);
	*c = (struct counts){ 0 };
}

static int read_line(struct reader *r, struct words *w, struct counts *counts, struct err *err)
{
	const char *first = words_at(w, 0);

	if (!*first || *first == '#' || strcmp(first, "COMMIT") == 0)
		return 0;
	if (*first == '*') {
		free(r->table);
		r->table = str_dup(first + 1);
		counts_clear(counts);
		return 0;
	}
	/* [packets:bytes] of iptables-save -c */
	if (*first == '[' && w->n > 1) {
		struct words rest = { w->at + 1, w->n - 1, w->open };
		return read_line(r, &rest, counts, err);
	}
	if (w->open || !r->table || (*first != ':' && strcmp(first, "-A") != 0))
		return err_set(err, E_INVAL, "iptables-save, line %ld: it is none of its lines", r->line);
	if (*first == ':') {
		read_chain(r, w);
		return 0;
	}
	return read_rule(r, w, next_number(counts, words_at(w, 1)), err);
}

int iptables_read(const char *saved, const char *sets, const struct packet *p, struct filter *out, struct err *err)
{
	struct reader r = { .sets = sets, .packet = p, .out = out };
	struct counts counts = { 0 };
	int rc = 0;

	*out = (struct filter){ 0 };
	for (const char *line = saved; *line && rc == 0;) {
		size_t len = strcspn(line, "\n");
		struct words w = { 0 };
		r.line++;
		words_split(&w, line, len);
		rc = read_line(&r, &w, &counts, err);
		words_release(&w);
		line += len + (line[len] == '\n');
	}
	free(r.table);
	counts_clear(&counts);
	if (rc)
		filter_release(out);
	return rc;
}

bool iptables_shows(const char *saved, const char *table)
{
	char *begins = str_fmt("*%s\n", table), *cannot = str_fmt("# Table `%s'", table);
	size_t len = strlen(begins);
	bool shown = false;

	for (const char *at = strstr(saved, begins); at && !shown; at = strstr(at + len, begins))
		shown = at == saved || at[-1] == '\n';
	if (strstr(saved, cannot))
		shown = false;
	free(begins);
	free(cannot);
	return shown;
}
