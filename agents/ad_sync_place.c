/* Where the sync client's configuration file is, and what is said where that cannot be told. See ad_sync_config.h. */
#include "agents/ad_sync_config.h"
#include "agents/ad_sync_service.h"
#include "agents/win_text.h"

#include "base/alloc.h"

static bool is_config(const char *path)
{
	size_t len = strlen(path);

	return len > 7 && win_same(path + len - 7, ".config");
}

/* The folder of a service's program; NULL where it is not known. The caller frees. */
static char *program_folder(const struct facts *f, int i, bool of_plugin)
{
	const char *program = fact_at(f, "service", i, "program");

	if (!*program || (of_plugin && !win_same(win_name(program), "PluginService.exe")))
		return NULL;
	return win_folder(program);
}

/* The folder in which the services' programs are: of those that are PluginService.exe, else of all. How many different
   ones there are; *folder is the first one. */
static int common_folder(const struct facts *f, bool of_plugin, char **folder)
{
	int n = 0;

	*folder = NULL;
	for (int i = 0; i < services_n(f); i++) {
		char *this = program_folder(f, i, of_plugin);

		if (this && !*folder) {
			*folder = this;
			n = 1;
			continue;
		}
		n += this && !win_same(this, *folder);
		free(this);
	}
	return n;
}

/* Does Windows say of one where its program is, in words that are no path (a variable in it, say)? */
static bool is_unclear(const struct facts *f)
{
	for (int i = 0; i < services_n(f); i++) {
		if (*fact_at(f, "service", i, "command"))
			return true;
	}
	return false;
}

static void no_path(struct facts *f, const char *why)
{
	facts_unset(f, "config.path");
	facts_set_text(f, "config.place", why);
}

static void set_path(struct facts *f, const char *folder)
{
	char *path = is_config(folder) ? str_dup(folder) : win_join(folder, AD_CONFIG_NAME);

	facts_set_text(f, "config.path", path);
	facts_set_text(f, "config.place", "one");
	free(path);
}

void ad_config_place(const struct agent_ctx *ctx)
{
	const char *named = agent_param(ctx, "path");
	char *folder = NULL;
	int n;

	if (named) {
		set_path(ctx->now, named);
		return;
	}
	n = common_folder(ctx->now, true, &folder);
	if (!n)
		n = common_folder(ctx->now, false, &folder);
	if (n > 1)
		no_path(ctx->now, "several");
	else if (is_unclear(ctx->now))
		no_path(ctx->now, "unclear");
	else
		set_path(ctx->now, n ? folder : AD_CONFIG_FOLDER);
	free(folder);
}

void ad_config_assess_place(const struct agent_ctx *ctx, struct assessment *out)
{
	if (facts_is(ctx->now, "config.place", "several"))
		assessment_set(out, ASSESS_PERSON,
			       "the services run from different folders: name the one that holds " AD_CONFIG_NAME
			       " (`path`)");
	else if (facts_is(ctx->now, "config.place", "unclear"))
		assessment_set(out, ASSESS_PERSON,
			       "where the services' program is cannot be told from what Windows says of it (sc qc, "
			       "BINARY_PATH_NAME): name the folder that holds " AD_CONFIG_NAME " (`path`)");
	else
		assessment_set(
		    out, ASSESS_PERSON,
		    "\"%s\" cannot be worked with as a path: name the client's folder (`path`) without quotes, "
		    "percent signs and carets",
		    facts_text(ctx->now, "config.path", ""));
}
