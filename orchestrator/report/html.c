/*
 * One file that needs nothing else: it is read offline, mailed, printed and kept. Summary first, then what to do, then
 * each tenant. Its policy (Content-Security-Policy) forbids every script and style but the two in it, by their hash,
 * and every fetch, so that text from a host could do nothing even if it were not escaped, which it is.
 */
#include "report/report.h"

#include "base/alloc.h"
#include "report/html_page.h"
#include "report/html_parts.h"
#include "report/words.h"

/* Beyond that many bytes the tenants that follow are told of in the list only: what needs somebody stands first, and
   `cutover report TENANT` tells of each. A browser shows 16 MB within a second or two. */
#define DETAILS_MAX_BYTES ((size_t)16 << 20)

static void add_policy(struct buf *out)
{
	unsigned char script[SHA256_BYTES], style[SHA256_BYTES];
	char *script64, *style64;

	sha256(html_script, strlen(html_script), script);
	sha256(html_css, strlen(html_css), style);
	script64 = base64_encode(script, sizeof(script));
	style64 = base64_encode(style, sizeof(style));
	buf_addf(out,
		 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'sha256-%s'; "
		 "style-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n",
		 script64, style64);
	free(script64);
	free(style64);
}

static void add_title(const struct report *r, struct buf *out)
{
	html_text(out, report_title_in(&r->title, r->lang == REPORT_JA, r->procedure));
}

static void add_head(const struct report *r, struct buf *out)
{
	buf_addf(out, "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
		 r->lang == REPORT_JA ? "ja" : "en");
	add_policy(out);
	buf_adds(out, "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		      "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" "
		      "content=\"cutover " CUTOVER_VERSION "\">\n<title>");
	html_wrap(out, "", r->asked, " – ");
	add_title(r, out);
	buf_addf(out, " – %s</title>\n<style>%s</style>\n</head>\n", in_lang(r->lang, "migration report", "移行報告書"),
		 html_css);
}

static void add_top(const struct report *r, struct buf *out)
{
	char when[WHEN_MAX];

	buf_addf(out,
		 "<body>\n<header class=\"top\"><div class=\"brand\"><span>cutover</span><span>%s</span></div>\n<h1>",
		 in_lang(r->lang, "Migration report", "移行報告書"));
	add_title(r, out);
	buf_adds(out, "</h1>\n<p class=\"sub\">");
	if (*r->asked && r->tenants_n) {
		html_text(out, report_tenant_name(r->tenants[0]));
		buf_adds(out, " · ");
	}
	buf_addf(out, in_lang(r->lang, "as of %s", "%s 現在"), when_minute(r->now_ms, r->offset_min, when));
	html_wrap(out, in_lang(r->lang, " · made from <code>", " · 状態ファイル <code>"),
		  *r->state_file ? r->state_file : "cutover.db", "</code></p></header>\n<main>\n");
}

/* ---- tenants ---------------------------------------------------------------------------------------------------- */

static void add_tenants(const struct report *r, struct buf *out)
{
	size_t begin = out->len, i;

	if (!r->tenants_n)
		return;
	buf_addf(out, "<section id=\"tenants\"><h2>%s</h2>\n",
		 in_lang(r->lang, "Tenant by tenant", "テナント別の詳細"));
	for (i = 0; i < r->tenants_n && out->len - begin < DETAILS_MAX_BYTES; i++)
		html_tenant(r, r->tenants[i], out);
	if (i < r->tenants_n) {
		buf_adds(out, "<p class=\"card\">");
		buf_addf(out,
			 in_lang(r->lang,
				 "The other %zu tenants, which need nobody as urgently, are in the list above. For all "
				 "that is known of one: ",
				 "緊急度の低い他の %zu テナントは上の一覧のみに記載しています。個別の詳細: "),
			 r->tenants_n - i);
		buf_adds(out, "<code>cutover report TENANT --format html</code></p>\n");
	}
	buf_adds(out, "</section>\n");
}

/* ---- the foot: what the words mean ------------------------------------------------------------------------------- */

static void add_meanings(const struct report *r, struct buf *out)
{
	buf_adds(out, "<dl>");
	for (int s = 0; s < STEP_STATES; s++) {
		if (!r->rows_by_state[s])
			continue;
		buf_adds(out, "<dt>");
		html_step_badge(out, (enum step_state)s, r->lang);
		buf_addf(out, "</dt><dd>%s (<code>%s</code>)</dd>",
			 word_step_state_meaning((enum step_state)s, r->lang), step_state_name((enum step_state)s));
	}
	buf_adds(out, "</dl>\n");
}

static void add_foot(const struct report *r, struct buf *out)
{
	buf_addf(out, "</main>\n<footer><h4>%s</h4>", in_lang(r->lang, "How to read this", "読み方"));
	add_meanings(r, out);
	buf_adds(out, "<p>");
	buf_adds(out, in_lang(r->lang,
			      "Every statement here comes from the state file, which is written while the work is "
			      "done: each intention before its effect, each outcome after it. Entries are only "
			      "ever added; each carries the hash of the one before it of the same tenant, so a "
			      "later change shows. Values that are secrets are not in it. Times are the tenant's ow"
			      "n.",
			      "本書の内容はすべて、作業中に記録された状態ファイルに基づいています。"
			      "変更の前に意図を、後に結果を記録します。記録は追加のみで、"
			      "各記録は同じテナントの直前の記録のハッシュを持つため、後からの改変は検出されます。"
			      "秘密情報は含まれていません。時刻は各テナントの現地時刻です。"));
	buf_addf(out, "</p>\n<p>cutover %s</p></footer>\n", CUTOVER_VERSION);
	buf_addf(out, "<script>%s</script>\n</body>\n</html>\n", html_script);
}

int report_html(const struct report *r, struct buf *out, struct err *err)
{
	if (!out->max)
		out->max = REPORT_MAX_BYTES;
	add_head(r, out);
	add_top(r, out);
	html_summary(r, out);
	html_todo(r, out);
	html_waiting(r, out);
	html_list(r, out);
	add_tenants(r, out);
	html_runs(r, out);
	add_foot(r, out);
	return out->truncated
		       ? err_set(err, E_LIMIT, "the HTML report is larger than %zu bytes: ask for one tenant at a time",
				 out->max)
		       : 0;
}
