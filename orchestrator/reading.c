#include "reading.h"

#include "base/clock.h"

int reading_refresh(struct reading *r, struct err *err)
{
	struct err why = { 0 };
	int rc = journal_lock_holder(r->query.state_file, r->holder, sizeof(r->holder), &why);

	r->query.now_ms = clock_wall_ms(&clock_system);
	r->query.holder = rc == 0 ? r->holder : NULL;
	if (rc && rc != E_NOTFOUND)
		return err_set(err, rc, "%s", why.text);
	return 0;
}

int reading_open(const struct options *o, struct reading *r, struct err *err)
{
	int rc;

	*r = (struct reading){ .query = { .state_file = o->state_path,
					  .tenant = o->tenant,
					  .lang = o->lang == LANG_JA ? REPORT_JA : REPORT_EN } };
	rc = journal_reader_open(o->state_path, &r->query.reader, err);
	if (rc)
		return rc;
	rc = reading_refresh(r, err);
	if (rc)
		reading_close(r);
	return rc;
}

void reading_close(struct reading *r)
{
	journal_reader_close(r->query.reader);
	r->query.reader = NULL;
}
