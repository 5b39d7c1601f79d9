/*
 * The fleet as data: what a valid inventory, with its procedure and profile, means once defaults, waves and templates
 * are worked in. Made by inventory_load (inventory/load.h), read by everyone, changed by no one: all pointers live as
 * long as the struct inventory, none is NULL unless its comment says so, and lists carry their length in `…_n`.
 *
 * Sizes: at most INVENTORY_TENANTS_MAX tenants; names and texts are UTF-8 without control characters.
 * Times are wall milliseconds (base/clock.h).
 *
 * Glossary. tenant: a customer. host: a machine of hers. wave: a group of tenants with windows in common. window: an
 * agreed night. vendor period: the vendor's time for customer changes. procedure: the vendor's steps. profile: the
 * vendor's names and addresses in one region. agent: what knows one kind of thing on a host, domain or tenant.
 */
#ifndef INVENTORY_MODEL_H
#define INVENTORY_MODEL_H

#include "schema/state.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INVENTORY_TENANTS_MAX 100000

enum tri { TRI_UNKNOWN, TRI_FALSE, TRI_TRUE };
enum who { WHO_US, WHO_CUSTOMER, WHO_ISP };
enum os_kind { OS_UNKNOWN, OS_LINUX, OS_WINDOWS };
enum agent_scope { SCOPE_HOST, SCOPE_DOMAIN, SCOPE_TENANT };
enum host_keys_policy { HOST_KEYS_PINNED, HOST_KEYS_ACCEPT_NEW };
enum become { BECOME_NONE, BECOME_SUDO };
enum end_action { END_STAY, END_ROLLBACK };

/* Text in the languages a tenant may read. ja is NULL where there is none: use en. */
struct text {
	char *en;
	char *ja;
};

struct strings {
	char **at;
	size_t n;
};

/* ---- procedure and profile -------------------------------------------------------------------------------------- */

/* What the procedure says of an agent: where it works and which keys an `agents[]` entry may carry for it. An agent that
   works in several scopes ("person") has one of these for each. */
struct agent_decl {
	char *name;
	enum agent_scope scope;
	json_t *params; /* {key: "string" | "strings" | "number" | "boolean" | "object"} */
	json_t *patterns; /* {key: {"matches": extended regular expression, "hint": text}} of some of its strings */
};

struct procedure_agent {
	const struct agent_decl *decl;
	json_t *with; /* what the step tells the agent; {} when nothing */
	/* What is not proved of the step for a tenant whom `when` of `with` keeps this agent from; en NULL: nothing. */
	struct text without;
};

struct procedure_step {
	char *name;
	char *vendor_step; /* "4", "8 (first half)": as the vendor counts, "" for our own */
	struct text title;
	struct text instruction; /* what a person does; en may be "" */
	enum phase phase;
	char *governed_by; /* a key of `uses`, or NULL */
	bool per_domain;   /* not applicable where the tenant has no domains */
	struct procedure_agent *agents; /* in the order of the table */
	size_t agents_n;
	const struct procedure_step **needs;
	size_t needs_n;
	/* What a tenant can choose to wait for as well (`mx_waits_for`), and the default: see tenant_waits_for. */
	const struct procedure_step **waits_for;
	size_t waits_for_n;
};

struct procedure {
	char *name; /* "hes-1-to-2" */
	struct text title;
	struct agent_decl *agents;
	size_t agents_n;
	struct procedure_step *steps; /* in order */
	size_t steps_n;
};

struct profile {
	char *name; /* "hes-global" */
	/* Old host names, lower case, by role ("relay", "web_service", "mx"). */
	struct strings old_relay, old_web_service, old_mx;
	struct strings ranges;	     /* CIDR */
	struct strings spf_includes; /* names */
	json_t *extra;		     /* tokens and the like, for agents of later versions; an object */
};

/* ---- hosts ------------------------------------------------------------------------------------------------------ */

/* A reference to a secret, not the secret: "env:NAME", "file:PATH", "command:…", "credential:NAME", with {tenant} and
   {host} filled in and a relative path made absolute. Resolved by inventory/secret.h. text is NULL when there is none. */
struct secret_ref {
	char *text;
};

struct bastion;

/* How to reach a machine. The private key is `identity`: a secret reference, of which "file:PATH" names the key file itself;
   or a key that an ssh-agent holds: "agent:SHA256:…" by its fingerprint, "agent:/PATH" by its public key file, "agent:"
   the only one that the agent has. */
struct connection {
	char *address; /* name or address; "" where nobody logs in (a host with no work of ours) and none is given */
	int port;
	char *user;		     /* NULL: not given, which is an error of validate for a host with work on it */
	struct secret_ref identity;
	struct secret_ref passphrase; /* of the private key (identity_passphrase) */
	char *agent_socket;	      /* absolute path (identity_agent), or NULL: $SSH_AUTH_SOCK */
	char *certificate;	      /* absolute path of the user certificate, or NULL: the one beside the key, if any */
	struct secret_ref password;
	struct strings host_keys;    /* pins: "[TYPE ]SHA256:…" */
	char *known_hosts;	     /* absolute path, or NULL */
	enum host_keys_policy host_keys_policy;
	const struct bastion **via;  /* outermost first, with those before the first one; via_n 0: direct */
	size_t via_n;
	char *via_command;	     /* or NULL */
	enum become become;
};

struct bastion {
	char *name;
	struct connection connection;
};

/* A command that is run on the host after the work, and what it has to give. */
struct verify_command {
	char *name;
	char *run;
	int exit;
	char *stdout_matches; /* extended regular expression (POSIX), or NULL */
	int timeout_ms;
};

/* Is it the right machine? `run` is NULL when there is no check; else exactly one of the other two is set. Output is
   compared without its trailing newlines. */
struct identity_check {
	char *run;
	char *equals;
	char *matches; /* extended regular expression */
};

struct agent_use {
	const struct agent_decl *decl;
	char *key;	/* unique among the uses of one step on one host; the agent's name unless given */
	json_t *params; /* its own keys, checked against decl->params */
};

struct host {
	char *name; /* unique within the tenant */
	enum os_kind os;
	bool gateway; /* role: gateway */
	struct connection connection;
	struct agent_use *agents;
	size_t agents_n;
	struct verify_command *verify;
	size_t verify_n;
	struct identity_check identity_check;
	struct strings mta_public_ips;
	char *mta_log; /* or NULL */
};

/* ---- tenants ---------------------------------------------------------------------------------------------------- */

struct window {
	int64_t start_ms, end_ms; /* [start, end) */
};

struct domain {
	char *name;
	json_t *settings; /* the whole object of the inventory, checked; for agents of later versions */
};

/* One pair of a map of the inventory: a step and who does it, and the like. */
struct assigned {
	const struct procedure_step *step;
	enum who who;
};

struct answer {
	const char *key; /* of `uses`: what some step of the procedure is governed by */
	enum tri value;
};

struct retry_policy {
	int attempts;	    /* of one step on one target, the first included */
	int first_delay_ms; /* doubles */
	int max_delay_ms;
	int give_up_ms; /* unreachable hosts: how long after all other work */
};

struct contact {
	char *name, *email, *role;
};

struct tenant {
	size_t index; /* in inventory->tenants */
	char *id;
	char *name;
	char *wave; /* or NULL */
	struct strings labels;
	bool japanese; /* language: ja */
	int offset_min; /* for showing times: that of the first window */
	char *change_id; /* or NULL */
	struct contact *contacts;
	size_t contacts_n;
	int64_t migration_ms; /* the migration date's 00:00 */
	char *migration_date; /* as written */
	struct window vendor_period; /* both 0: none */
	struct window *windows;	     /* sorted by start */
	size_t windows_n;
	char *new_relay, *new_web_service, *new_mx; /* lower case, no trailing dot */
	enum tri restricted_firewall, outbound_filter, directory_sync, quarantine_notification;
	struct assigned *by;
	size_t by_n;
	bool has_web_service;
	json_t *web_service; /* or NULL */
	bool domains_given;  /* false: unknown; true with domains_n 0: the answer "none" */
	struct domain *domains;
	size_t domains_n;
	bool hosts_given;
	struct host *hosts;
	size_t hosts_n;
	struct retry_policy retry;
	enum end_action at_window_end;
	unsigned require_approval; /* bit per enum phase */
	/* The answers of `uses` by key, for any procedure; the four above are the usual ones. */
	struct answer *uses;
	size_t uses_n;
	bool waits_for_given; /* mx_waits_for; then the list, else the step's own counts */
	const struct procedure_step **waits_for;
	size_t waits_for_n;
	json_t *rest; /* mx_waits_for, rollback_until, retain, thresholds, dead_man, refs: checked, for later versions */
	char *file; /* the file it stands in */
};

/* One file that was read, so that the state file can hold it (`resume` needs nothing else). */
struct source_file {
	char *path; /* absolute */
	char *bytes;
	size_t len;
};

struct inventory {
	char *path;   /* absolute */
	char *folder; /* of path */
	struct procedure *procedure;
	struct profile *profile;
	struct bastion *bastions;
	size_t bastions_n;
	struct tenant *tenants; /* in the order of the files */
	size_t tenants_n;
	struct source_file *files; /* the inventory, its includes, procedure and profile when they are files */
	size_t files_n;
	char *sha256; /* over all files in order: the revision */
	struct inventory_store *store; /* the memory of all of this; the loader's own */
};

/* Small questions about the model. */
const struct tenant *inventory_tenant(const struct inventory *inv, const char *id); /* or NULL */
const struct host *tenant_host(const struct tenant *t, const char *name);	    /* or NULL */
const struct procedure_step *procedure_step(const struct procedure *p, const char *name);
enum who tenant_who(const struct tenant *t, const struct procedure_step *step); /* WHO_US unless `by` says */
enum tri tenant_uses(const struct tenant *t, const char *uses_key);
/* What `step` waits for beyond its needs: the tenant's own list (mx_waits_for) for the step that has one, else what the
   procedure says. The array is the model's; *n may be 0. */
const struct procedure_step *const *tenant_waits_for(const struct tenant *t, const struct procedure_step *step, size_t *n);
const char *text_in(const struct text *text, bool japanese);
const char *who_name(enum who who);

/* Frees what it holds; and that and itself (NULL is fine). */
void inventory_release(struct inventory *inv);
void inventory_free(struct inventory *inv);

#endif
