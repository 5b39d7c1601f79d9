/*
 * The sessions to a bastion: opened by ssh_relay_open, closed when they have retired, idled, or are lost. A login that
 * fails holds all further ones. Every relay is freed in its remote's close callback.
 */
#include "transport/ssh_relays.h"

#include "base/log.h"

static struct relay *relay_of(void *arg)
{
	return arg;
}

static void on_closed(void *arg)
{
	struct relay *r = relay_of(arg);
	struct ssh_bastion *b = r->bastion;

	list_remove(&r->node);
	free(r);
	bastion_kick(b);
}

static void close_relay(struct relay *r)
{
	if (r->closing)
		return;
	r->closing = r->retired = true;
	r->ready = false;
	remote_close(r->remote, on_closed, r);
}

/* ---- logins that fail ------------------------------------------------------------------------------------------- */

/* What trying again cannot change, and what may get us banned there. That we could not sign is neither: an ssh-agent may
   come back, and the bastion has not been asked for anything. */
static bool is_final(int code)
{
	return code == E_AUTH || code == E_HOSTKEY || code == E_KEX || code == E_INVAL || code == E_BASTION ||
	       code == E_FORWARDING;
}

void relays_hold(struct ssh_bastion *b, const struct err *err)
{
	struct site *site = b->site;
	int64_t ms = HOLD_FIRST_MS;

	if (is_final(err->code)) {
		b->barred = *err;
		/* The class is about a target; the way to it is what failed. */
		if (err->code != E_FORWARDING)
			b->barred.code = E_BASTION;
		log_info("%s; it is not tried again", err->text);
		return;
	}
	for (unsigned i = 0; i < site->failures && ms < HOLD_MAX_MS; i++)
		ms *= 2;
	ms = ms < HOLD_MAX_MS ? ms : HOLD_MAX_MS;
	site->failures++;
	site->hold = *err;
	site->hold_until_ms = bastion_now(b) + ms;
	log_info("%s; it is not tried again for %lld s", err->text, (long long)ms / 1000);
}

const struct err *relays_held(const struct ssh_bastion *b)
{
	if (b->barred.code)
		return &b->barred;
	return bastion_now(b) < b->site->hold_until_ms ? &b->site->hold : NULL;
}

/* A server counts the logins that are not finished (MaxStartups): few at once, fewer where it does not take much. */
bool relays_may_log_in(const struct ssh_bastion *b)
{
	unsigned half = b->site->level.now / 2, most = half < 1 ? 1 : half < LOGINS_MAX ? half : LOGINS_MAX;

	return !relays_held(b) && b->site->logins < most;
}

bool relays_usable(const struct ssh_bastion *b)
{
	for (struct list *n = b->relays.next; n != &b->relays; n = n->next)
		if (!CONTAINER_OF(n, struct relay, node)->retired)
			return true;
	return false;
}

static void login_is_over(struct relay *r)
{
	if (!r->logging_in)
		return;
	r->logging_in = false;
	r->bastion->site->logins--;
	site_kick(r->bastion);
}

static void login_failed(struct relay *r, const struct err *err)
{
	struct ssh_bastion *b = r->bastion;

	if (err->code == E_CLOSED)
		bastion_halve(b, r->round, b->site->level.now, "it closed a connection before the login was done");
	if (err->code != E_CANCELED)
		relays_hold(b, err);
}

static void on_opened(struct remote *remote, const struct err *err, void *arg)
{
	struct relay *r = relay_of(arg);
	struct ssh_bastion *b = r->bastion;

	(void)remote;
	login_is_over(r);
	if (err) {
		login_failed(r, err);
		close_relay(r);
	} else {
		r->ready = !r->closing;
		r->idle_since_ms = bastion_now(b);
		/* One that takes the login and then answers nothing has not shown that it works. */
		b->site->failures = b->site->proven ? 0 : b->site->failures;
		b->site->hold_until_ms = 0;
		log_info("%s: a session is open", b->spec->label);
	}
	bastion_kick(b);
}

/* Its tunnels have ended before. */
static void on_lost(struct remote *remote, const struct err *err, void *arg)
{
	struct relay *r = relay_of(arg);

	(void)remote;
	log_info("%s: a session is lost: %s", r->bastion->spec->label, err->text);
	close_relay(r);
	bastion_kick(r->bastion);
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

void relays_log_in(struct ssh_bastion *b)
{
	static const struct relay_owner owner = {on_opened, on_lost};
	struct relay *r = NEW(struct relay);

	r->bastion = b;
	r->logging_in = true;
	r->round = b->site->level.round;
	b->site->logins++;
	b->login_ms = bastion_now(b);
	list_append(&b->relays, &r->node);
	r->remote = ssh_relay_open(b->transport, b->spec, &owner, r);
}

int64_t relays_tidy(struct ssh_bastion *b)
{
	int64_t now = bastion_now(b), next = 0;

	for (struct list *n = b->relays.next; n != &b->relays; n = n->next) {
		struct relay *r = CONTAINER_OF(n, struct relay, node);

		if (r->closing || r->tunnels || (r->opening && !r->retired) || (!r->ready && !r->retired))
			continue;
		if (r->retired || now - r->idle_since_ms >= IDLE_MS)
			close_relay(r);
		else if (!next || r->idle_since_ms + IDLE_MS < next)
			next = r->idle_since_ms + IDLE_MS;
	}
	return next;
}

void relays_close_all(struct ssh_bastion *b)
{
	for (struct list *n = b->relays.next; n != &b->relays; n = n->next)
		close_relay(CONTAINER_OF(n, struct relay, node));
}
