#include "agents/firewall/nft_match.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IPPROTO_TCP_NUMBER 6

struct belief nft_match_unknown(struct nft_match *m, const char *fmt, ...)
{
	char text[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (!m->why)
		m->why = str_dup(text);
	return belief_unsure();
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* ---- what a value says ---------------------------------------------------------------------------------------------- */

/* An address or a port, a prefix or a range of them. */
static bool number_of(const json_t *value, bool port, struct range *out)
{
	const char *text = json_string_value(value);
	char *end;

	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*out = (struct range){ (uint64_t)json_integer_value(value), (uint64_t)json_integer_value(value) + 1 };
		return true;
	}
	if (!text)
		return false;
	if (!port)
		return range_parse(out, text, NULL) == 0;
	unsigned long number = strtoul(text, &end, 10);
	*out = (struct range){ number, number + 1 };
	return end != text && !*end && number < PORTS_END;
}

static bool range_of(const json_t *value, bool port, struct range *out)
{
	const json_t *prefix = json_object_get(value, "prefix"), *range = json_object_get(value, "range");
	struct range first, last;
	char text[64];

	if (prefix) {
		snprintf(text, sizeof(text), "%.40s/%d", text_of(prefix, "addr"),
			 (int)json_integer_value(json_object_get(prefix, "len")));
		return !port && range_parse(out, text, NULL) == 0;
	}
	if (range) {
		if (!number_of(json_array_get(range, 0), port, &first) || !number_of(json_array_get(range, 1), port, &last))
			return false;
		*out = (struct range){ first.from, last.end };
		return first.from < last.end;
	}
	return number_of(value, port, out);
}

/* ---- fields --------------------------------------------------------------------------------------------------------- */

static struct belief numbers(struct nft_match *m, const json_t *value, bool port, bool source)
{
	struct belief b;
	struct ranges set = { 0 };
	struct range one;

	if (!range_of(value, port, &one))
		return nft_match_unknown(m, "a value of another kind for %s", port ? "a port" : "an address");
	ranges_one(&set, one.from, one.end);
	b = port ? packet_port(m->packet, source, &set) : packet_address(m->packet, source, &set);
	if (!port && !belief_is_sure(&b) && !m->why)
		m->why = str_dup("the address of this side");
	ranges_release(&set);
	return b;
}

static struct belief yes(bool holds)
{
	return holds ? belief_all() : belief_none();
}

static struct belief protocol(const json_t *value)
{
	const char *name = json_string_value(value);

	return yes(name ? strcmp(name, "tcp") == 0 : json_integer_value(value) == IPPROTO_TCP_NUMBER);
}

/* A field of a header that a TCP packet over IPv4 does not have is no match, since nft lists no dependency of its own. */
static struct belief payload(struct nft_match *m, const json_t *left, const json_t *value)
{
	const char *header = text_of(left, "protocol"), *field = text_of(left, "field");
	bool source = strcmp(field, "saddr") == 0 || strcmp(field, "sport") == 0;

	if (strcmp(header, "ip") == 0 && (source || strcmp(field, "daddr") == 0))
		return numbers(m, value, false, source);
	if (strcmp(header, "ip") == 0 && strcmp(field, "protocol") == 0)
		return protocol(value);
	if ((strcmp(header, "tcp") == 0 || strcmp(header, "th") == 0) && (source || strcmp(field, "dport") == 0))
		return numbers(m, value, true, source);
	if (strcmp(header, "ip") == 0 || strcmp(header, "tcp") == 0 || strcmp(header, "th") == 0 || !*header)
		return nft_match_unknown(m, "%s %s", *header ? header : "raw payload", field);
	if (strcmp(header, "ether") == 0 || strcmp(header, "vlan") == 0)
		return nft_match_unknown(m, "%s %s", header, field);
	return belief_none();
}

static struct belief interface(struct nft_match *m, bool in, const json_t *value)
{
	const char *name = json_string_value(value);
	struct belief b = name ? packet_interface(m->packet, in, name) : belief_unsure();

	if (!belief_is_sure(&b) && !m->why)
		m->why = str_fmt("the interface %s", name ? name : "of some number");
	return b;
}

static struct belief meta(struct nft_match *m, const char *key, const json_t *value)
{
	const char *text = json_string_value(value);

	if (strcmp(key, "l4proto") == 0)
		return protocol(value);
	if (strcmp(key, "nfproto") == 0)
		return yes(text ? strcmp(text, "ipv4") == 0 : json_integer_value(value) == 2);
	if (strcmp(key, "protocol") == 0)
		return yes(text ? strcmp(text, "ip") == 0 : json_integer_value(value) == 0x0800);
	if (strcmp(key, "iifname") == 0 || strcmp(key, "iif") == 0)
		return interface(m, true, value);
	if (strcmp(key, "oifname") == 0 || strcmp(key, "oif") == 0)
		return interface(m, false, value);
	return nft_match_unknown(m, "meta %s", key);
}

static struct belief conntrack(struct nft_match *m, const json_t *left, const json_t *value)
{
	const char *key = text_of(left, "key"), *text = json_string_value(value);

	if (strcmp(key, "state") == 0 && text && ct_state(text))
		return packet_state(m->packet, ct_state(text));
	return nft_match_unknown(m, "ct %s", key);
}

/* tcp flags & MASK == VALUE */
static bool flags_of(const json_t *value, unsigned *out)
{
	const json_t *list = json_is_array(value) ? value : json_object_get(value, "|");
	size_t i;
	json_t *each;

	*out = 0;
	if (json_is_string(value))
		return (*out = tcp_flag(json_string_value(value))) != 0;
	if (json_is_integer(value))
		return (*out = (unsigned)json_integer_value(value)) < 256;
	json_array_foreach (list, i, each) {
		unsigned one;
		if (!flags_of(each, &one))
			return false;
		*out |= one;
	}
	return list != NULL;
}

static bool is_flags(const json_t *field)
{
	const json_t *of = json_object_get(field, "payload");

	return strcmp(text_of(of, "protocol"), "tcp") == 0 && strcmp(text_of(of, "field"), "flags") == 0;
}

static struct belief masked(struct nft_match *m, const json_t *both, const json_t *value)
{
	unsigned mask, set;

	if (is_flags(json_array_get(both, 0)) && flags_of(json_array_get(both, 1), &mask) && flags_of(value, &set))
		return packet_flags(m->packet, mask, set);
	return nft_match_unknown(m, "a masked value");
}

/* One value against one field. */
static struct belief field(struct nft_match *m, const json_t *left, const json_t *value)
{
	const json_t *of;

	if (json_is_string(value) && strcmp(json_string_value(value), "*") == 0)
		return belief_all();
	if ((of = json_object_get(left, "payload")))
		return payload(m, of, value);
	if ((of = json_object_get(left, "meta")))
		return meta(m, text_of(of, "key"), value);
	if ((of = json_object_get(left, "ct")))
		return conntrack(m, of, value);
	if ((of = json_object_get(left, "&")))
		return masked(m, of, value);
	return nft_match_unknown(m, "%s", json_object_iter_key(json_object_iter((json_t *)left))
						  ? json_object_iter_key(json_object_iter((json_t *)left))
						  : "an expression");
}

/* ---- sets ----------------------------------------------------------------------------------------------------------- */

static struct belief concat(struct nft_match *m, const json_t *fields, const json_t *values)
{
	struct belief b = belief_all();
	size_t i;
	json_t *each;

	if (json_array_size(fields) != json_array_size(values))
		return nft_match_unknown(m, "a concatenation of another length");
	json_array_foreach (fields, i, each)
		belief_and(&b, field(m, each, json_array_get(values, i)));
	return b;
}

struct belief nft_match_element(struct nft_match *m, const json_t *left, const json_t *element)
{
	const json_t *of = json_object_get(left, "concat"), *inner = json_object_get(element, "elem");
	struct belief b;

	if (inner) {
		b = nft_match_element(m, left, json_object_get(inner, "val"));
		/* It ends, or matches at a rate. */
		if (json_object_get(inner, "timeout") || json_object_get(inner, "expires") || json_object_get(inner, "limit") ||
		    json_object_get(inner, "quota") || json_object_get(inner, "ct count")) {
			belief_doubt(&b);
			if (!m->why)
				m->why = str_dup("an element of a set that comes and goes");
		}
		return b;
	}
	return of ? concat(m, of, json_object_get(element, "concat")) : field(m, left, element);
}

/* Addresses of one field at once: sets can have a hundred thousand. False: they are not only that. */
static bool all_addresses(struct nft_match *m, const json_t *left, const json_t *elements, struct belief *out)
{
	const json_t *of = json_object_get(left, "payload");
	const char *at = text_of(of, "field");
	bool source = strcmp(at, "saddr") == 0;
	struct range *list = NEW_N(struct range, json_array_size(elements) + 1);
	struct ranges set = { 0 };
	size_t n = 0;
	json_t *each;

	if (strcmp(text_of(of, "protocol"), "ip") != 0 || (!source && strcmp(at, "daddr") != 0)) {
		free(list);
		return false;
	}
	json_array_foreach (elements, n, each)
		if (!range_of(each, false, &list[n])) {
			free(list);
			return false;
		}
	ranges_of(&set, list, n);
	*out = packet_address(m->packet, source, &set);
	if (!belief_is_sure(out) && !m->why)
		m->why = str_dup("the address of this side");
	ranges_release(&set);
	free(list);
	return true;
}

static struct belief elements(struct nft_match *m, const json_t *left, const json_t *list)
{
	struct belief b = belief_none();
	size_t i;
	json_t *each;

	if (all_addresses(m, left, list, &b))
		return b;
	json_array_foreach (list, i, each)
		belief_or(&b, nft_match_element(m, left, each));
	return b;
}

static struct belief named(struct nft_match *m, const json_t *left, const char *name)
{
	const json_t *list;
	bool fleeting;

	if (!m->set(m->arg, name, &list, &fleeting))
		return nft_match_unknown(m, "the set %.64s, which is not listed", name);
	/* What is in it may go, and what is not may come. */
	if (fleeting)
		return nft_match_unknown(m, "the set %.64s, whose elements come and go", name);
	return elements(m, left, list);
}

static struct belief any_of(struct nft_match *m, const json_t *left, const json_t *right)
{
	const json_t *set = json_object_get(right, "set"), *either = json_object_get(right, "|");
	const char *name = json_string_value(right);

	if (name && name[0] == '@')
		return named(m, left, name + 1);
	if (either)
		return elements(m, left, either);
	if (json_is_array(right) || json_is_array(set))
		return elements(m, left, set ? set : right);
	return nft_match_element(m, left, set ? set : right);
}

/* `in` (flags: ct state) and `==` mean the same for what is modelled here; a comparison is one with a range. */
struct belief nft_match(struct nft_match *m, const json_t *match)
{
	const char *op = text_of(match, "op");
	const json_t *left = json_object_get(match, "left"), *right = json_object_get(match, "right");
	struct belief b;

	if (strcmp(op, "==") != 0 && strcmp(op, "!=") != 0 && strcmp(op, "in") != 0)
		return nft_match_unknown(m, "a comparison by %.8s", op);
	/* tcp flags without a mask: any of them is set. */
	if (is_flags(left))
		return nft_match_unknown(m, "tcp flags without a mask");
	b = any_of(m, left, right);
	if (strcmp(op, "!=") == 0)
		belief_not(&b);
	return b;
}
