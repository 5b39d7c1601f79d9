#!/bin/sh
# The HTML report in headless Chromium: pages of made-up state files (unit_report pages) are loaded as a customer would
# open them. All tenants are in the document, text from hosts ran nothing and fetched nothing, the page's own filter works,
# and a screenshot is no empty page. Leaves nothing behind; the screenshots stay in $REPORT_SCREENSHOTS where that is set.
set -eu
. "$(dirname "$0")/../lib/tap.sh"

browser=
for name in chromium chromium-browser google-chrome; do
	if command -v "$name" >/dev/null; then
		browser=$name
		break
	fi
done
if [ -z "$browser" ]; then
	skip 'the report in a browser' 'there is no chromium (deploy/deps.sh --tests installs it)'
	finish
fi
if [ ! -x "${CUTOVER_BUILD-}/tests/unit_report" ]; then
	skip 'the report in a browser' 'CUTOVER_BUILD names no build with tests/unit_report in it'
	finish
fi

# browse ARGUMENT...: with a profile of its own, and no traffic of the browser's own.
browse() {
	rm -rf "$work/profile"
	timeout -k 5 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync --hide-scrollbars \
		--enable-logging=stderr --user-data-dir="$work/profile" "$@" 2>"$work/browser.log"
}

# dump PAGE: the document after its scripts ran, in $work/dom. A helper asks for it with a script that cannot run because
# of the page's policy; so what is in the document is the page's own work.
dump() {
	browse --dump-dom "file://$pages/$1" >"$work/dom"
}

count() { grep -o -e "$1" "$work/dom" | wc -l; }

# dump_filtered PAGE TEXT: what the page shows when TEXT is typed into its filter. The typing is done by a script that is
# let in by its hash, in a copy of the page.
dump_filtered() {
	typing="var q=document.getElementById('q');q.value='$2';q.dispatchEvent(new Event('input'))"
	hash=$(printf '%s' "$typing" | openssl dgst -sha256 -binary | openssl base64 -A)
	sed -e "s|script-src |script-src 'sha256-$hash' |" -e "s|^</body>|<script>$typing</script></body>|" "$pages/$1" >"$pages/typed.html"
	dump typed.html
}

# png_size FILE: width and height, out of its head.
png_size() {
	od -An -tu1 -j16 -N8 "$1" | awk '{ print $1 * 16777216 + $2 * 65536 + $3 * 256 + $4, $5 * 16777216 + $6 * 65536 + $7 * 256 + $8 }'
}

pages=$work/pages
mkdir "$pages"
ok 'the pages are made' env REPORT_PAGES="$pages" "$CUTOVER_BUILD/tests/unit_report" pages

for page in night.ja:8 fleet:200 night:8; do
	name=${page%:*} tenants=${page#*:}
	ok "$name: the browser loads it" dump "$name.html"
	is "$name: each tenant has its line" "$(count '<tr data-s=')" "$tenants"
	is "$name: each tenant has its section" "$(count '<article class="card tenant"')" "$tenants"
	ok "$name: the page's own script ran" grep -q '<html lang="[a-z]*" class="js">' "$work/dom"
	not_ok "$name: its policy refused nothing of its own" grep -i 'Content Security Policy' "$work/browser.log"
done
# Of the last page, night.
for text in 'ACME株式会社' 'Basil &amp; Sons &lt;Ltd&gt;' 'Hotel Lumière' '1 thing is down' 'What to do' 'cutover resume'; do
	ok "night: it says $text" grep -qF -e "$text" "$work/dom"
done

dump_filtered fleet.html c00042
is 'the filter: one of 200 is left' "$(count '<output id="n">1 / 200</output>')" 1
is 'the filter: the other sections are hidden' "$(count '<article class="card tenant" id="[^"]*" hidden')" 199
dump_filtered fleet.html 'no such thing'
is 'the filter: nothing found' "$(count '<output id="n">0 / 200</output>')" 1

# Attacks in every field. Each would set the title to "owned", add an element of its own or load something.
for name in hostile hostile.ja; do
	ok "$name: the browser loads it" dump "$name.html"
	ok "$name: all tenants are there" test "$(count '<article class="card tenant"')" -ge 18
	not_ok "$name: no script of a host ran" grep -q '<title>owned' "$work/dom"
	is "$name: one script, the page's own" "$(count '<script')" 1
	is "$name: one style, the page's own" "$(count '<style')" 1
	is "$name: no picture, frame or object" "$(count '<\(img\|iframe\|object\|embed\|link\|base\|form\)[ >]')" 0
	is "$name: no handler" "$(count '<[a-z][^>]* on[a-z]*=')" 0
	is "$name: links go to the page itself" "$(count '<a [^>]*href="[^#]')" 0
	not_ok "$name: nothing was refused, for nothing was tried" grep -i 'Content Security Policy' "$work/browser.log"
done
# The look itself finds what it looks for: the same page without escaping is caught.
printf '<!doctype html><title>x</title><img src=x onerror="f()"><script>document.title="owned"</script>' \
	>"$pages/caught.html"
dump caught.html
ok 'a page that is not escaped is caught' grep -q '<title>owned' "$work/dom"
is 'and its handler' "$(count '<[a-z][^>]* on[a-z]*=')" 1

for page in night fleet; do
	for scheme in light dark; do
		png=$work/$page.$scheme.png
		setting=1
		[ "$scheme" = light ] || setting=0
		browse --blink-settings=preferredColorScheme=$setting --window-size=1280,2400 --screenshot="$png" "file://$pages/$page.html" \
			>/dev/null || true
		is "$page, $scheme: a screenshot" "$(png_size "$png")" '1280 2400'
		ok "$page, $scheme: that is no empty page" test "$(wc -c <"$png")" -gt 100000
		[ -z "${REPORT_SCREENSHOTS-}" ] || cp "$png" "$REPORT_SCREENSHOTS/"
	done
done
not_ok 'light and dark differ' cmp -s "$work/night.light.png" "$work/night.dark.png"

browse --print-to-pdf="$work/night.pdf" --no-pdf-header-footer "file://$pages/night.html" >/dev/null || true
ok 'it prints' test "$(wc -c <"$work/night.pdf")" -gt 50000
if command -v pdftotext >/dev/null; then
	pdftotext "$work/night.pdf" "$work/night.txt"
	ok 'printed, the details are open' grep -q 'enable-schedule' "$work/night.txt"
else
	skip 'printed, the details are open' 'there is no pdftotext (poppler-utils)'
fi
finish
