/*
 * Rules of one value that its type does not say: order of times, names that must exist, shapes with alternatives. Rows
 * of shapes.c name them; each is called with a value of the right type (VALUE_OTHER: of any) and reports by
 * problem_add.
 */
#ifndef INVENTORY_RULES_H
#define INVENTORY_RULES_H

#include "inventory/loading.h"

/* {start, end}: the end is later. */
void rule_period(struct loading *l, const struct place *place, json_t *value);
/* Windows of one tenant or wave do not overlap. */
void rule_windows(struct loading *l, const struct place *place, json_t *value);
/* new_fqdn as a whole, and one of its names: no old one. */
void rule_new_fqdn(struct loading *l, const struct place *place, json_t *value);
void rule_new_name(struct loading *l, const struct place *place, json_t *value);
/* A number of targets, or "N%" of them. */
void rule_threshold(struct loading *l, const struct place *place, json_t *value);
void rule_refs(struct loading *l, const struct place *place, json_t *value);
/* Keys are answers that the procedure asks for; values true, false, "unknown". */
void rule_uses(struct loading *l, const struct place *place, json_t *value);
/* Keys are steps, values us, customer, isp. */
void rule_by(struct loading *l, const struct place *place, json_t *value);
void rule_mx_waits_for(struct loading *l, const struct place *place, json_t *value);
/* Each provider has its own credentials. */
void rule_dns(struct loading *l, const struct place *place, json_t *value);
/* No name twice. */
void rule_domains(struct loading *l, const struct place *place, json_t *value);
void rule_hosts(struct loading *l, const struct place *place, json_t *value);
void rule_verify(struct loading *l, const struct place *place, json_t *value);
void rule_bastions(struct loading *l, const struct place *place, json_t *value);
/* Agents by the procedure's table: known, of a host, with the parameters it declares. */
void rule_agent_use(struct loading *l, const struct place *place, json_t *value);
void rule_agents(struct loading *l, const struct place *place, json_t *value);
/* A POSIX extended regular expression that compiles. */
void rule_pattern(struct loading *l, const struct place *place, json_t *value);
void rule_time_zone(struct loading *l, const struct place *place, json_t *value);
/* Names of bastions, templates, waves. */
void rule_via(struct loading *l, const struct place *place, json_t *value);
void rule_like(struct loading *l, const struct place *place, json_t *value);
void rule_wave(struct loading *l, const struct place *place, json_t *value);
/* A bastion's host key must be known. */
void rule_bastion(struct loading *l, const struct place *place, json_t *value);
/* The format's number: 1. */
void rule_version(struct loading *l, const struct place *place, json_t *value);
/* Of a procedure: {parameter: type}, placeholders of instructions; any object. */
void rule_params(struct loading *l, const struct place *place, json_t *value);
void rule_instruction(struct loading *l, const struct place *place, json_t *value);
void rule_object(struct loading *l, const struct place *place, json_t *value);

/* An agent's own keys against its declaration; keys of the shape `besides` (may be NULL) are left alone. */
struct shape;
void params_check(struct loading *l, const struct place *place, const struct agent_decl *decl, const json_t *object,
		  const struct shape *besides);

#endif
