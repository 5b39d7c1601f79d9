#include "agents/firewall/ipset.h"

#include "agents/firewall/words.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct set {
	const char *name;
	bool found, ports, other, fleeting, other_family;
	bool source, port_source; /* what the rule's directions say */
	const struct packet *packet;
	struct range *list; /* of addresses, until the end */
	size_t n;
	struct belief with_ports;
};

static void create(struct set *s, const struct words *w)
{
	static const char *const kinds[] = { "hash:ip", "hash:net", "bitmap:ip", "hash:ip,port", "hash:net,port" };

	s->found = s->other = true;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(words_at(w, 2), kinds[i]) == 0)
			s->other = false;
	s->ports = strchr(words_at(w, 2), ',') != NULL;
	for (size_t i = 3; i < w->n; i++) {
		s->fleeting |= strcmp(w->at[i], "timeout") == 0;
		s->other_family |= strcmp(w->at[i], "inet6") == 0;
	}
}

/* "ADDRESS,tcp:25" or "ADDRESS,tcp:25-30" */
static bool with_port(struct set *s, char *element)
{
	char *comma = strchr(element, ','), *protocol, *end;
	struct ranges addresses = { 0 }, ports = { 0 };
	struct range one;
	struct belief b;

	if (!comma)
		return false;
	*comma = 0;
	protocol = comma + 1;
	if (range_parse(&one, element, NULL) != 0)
		return false;
	if (strncmp(protocol, "tcp:", 4) != 0)
		return true;
	ranges_one(&addresses, one.from, one.end);
	unsigned long first = strtoul(protocol + 4, &end, 10), last = *end == '-' ? strtoul(end + 1, &end, 10) : first;
	ranges_one(&ports, first, last + 1);
	b = packet_address(s->packet, s->source, &addresses);
	belief_and(&b, packet_port(s->packet, s->port_source, &ports));
	belief_or(&s->with_ports, b);
	ranges_release(&addresses);
	ranges_release(&ports);
	return *end == 0;
}

static void add(struct set *s, struct words *w)
{
	char *element = w->n > 2 ? w->at[2] : NULL;

	for (size_t i = 3; i < w->n; i++)
		s->other |= strcmp(w->at[i], "nomatch") == 0;
	if (!element || s->other_family)
		return;
	if (s->ports) {
		s->other |= !with_port(s, element);
		return;
	}
	GROW_FOR_ONE(s->list, s->n);
	if (range_parse(&s->list[s->n], element, NULL) == 0)
		s->n++;
	else
		s->other = true;
}

static void read_lines(struct set *s, const char *saved)
{
	for (const char *line = saved; *line;) {
		size_t len = strcspn(line, "\n");
		struct words w = { 0 };
		words_split(&w, line, len);
		if (w.n > 1 && strcmp(w.at[1], s->name) == 0) {
			if (strcmp(w.at[0], "create") == 0)
				create(s, &w);
			else if (strcmp(w.at[0], "add") == 0)
				add(s, &w);
		}
		words_release(&w);
		line += len + (line[len] == '\n');
	}
}

static struct belief of_addresses(struct set *s)
{
	struct ranges all = { 0 };
	struct belief b;

	ranges_of(&all, s->list, s->n);
	b = packet_address(s->packet, s->source, &all);
	ranges_release(&all);
	return b;
}

struct belief ipset_match(const char *saved, const struct packet *p, const char *name, const char *directions, char **why)
{
	const char *comma = strchr(directions, ',');
	struct set s = { .name = name, .packet = p, .source = strncmp(directions, "src", 3) == 0,
			 .port_source = comma && strcmp(comma + 1, "src") == 0 };
	struct belief b;

	*why = NULL;
	read_lines(&s, saved);
	if (!s.found)
		*why = str_fmt("the set %.64s, which is not listed", name);
	else if (s.other || s.ports != (comma != NULL))
		*why = str_fmt("the set %.64s, of a kind that is not modelled", name);
	else if (s.fleeting)
		*why = str_fmt("the set %.64s, whose elements come and go", name);
	if (*why) {
		b = belief_unsure();
	} else if (s.ports) {
		b = s.with_ports;
		s.with_ports = (struct belief){ 0 };
	} else {
		b = of_addresses(&s);
	}
	belief_release(&s.with_ports);
	free(s.list);
	return b;
}
