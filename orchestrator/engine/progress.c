#include "engine/internal.h"

/* The slowest tasks, oldest first: an insertion into a list of five. */
static void insert_slow(struct engine_progress *p, const struct engine_slow *slow)
{
	size_t max = sizeof(p->slowest) / sizeof(*p->slowest), i;

	if (p->slowest_n == max && p->slowest[max - 1].age_ms >= slow->age_ms)
		return;
	if (p->slowest_n < max)
		p->slowest_n++;
	for (i = p->slowest_n - 1; i > 0 && p->slowest[i - 1].age_ms < slow->age_ms; i--)
		p->slowest[i] = p->slowest[i - 1];
	p->slowest[i] = *slow;
}

static const char *doing(const struct task *t)
{
	if (t->sm.now == TASK_OP)
		return t->table[t->at].name;
	if (t->sm.now == TASK_TABLE || t->sm.now == TASK_JOURNAL)
		return stage_name(t->stage);
	return sm_name(&t->sm);
}

void engine_progress(const struct engine *e, struct engine_progress *out)
{
	int64_t now = clock_mono_ms(e->cfg.clock);

	*out = (struct engine_progress){ 0 };
	for (size_t i = 0; i < e->roster.n; i++) {
		const struct task *t = &e->tasks[i];
		bool active = t->sm.now != TASK_IDLE && t->sm.now != TASK_DONE && t->sm.now != TASK_QUEUED;
		struct engine_slow slow = { t->row->tenant, t->row->target, NULL, now - t->begun_ms };
		if (!t->selected || !t->machine)
			continue;
		out->total++;
		out->running += active;
		if (active) {
			slow.phase = doing(t);
			insert_slow(out, &slow);
		} else if (step_state_is_done(t->row->state)) {
			out->done++;
		} else if (step_state_is_bad(t->row->state)) {
			out->bad++;
		} else {
			out->waiting++;
		}
	}
}
