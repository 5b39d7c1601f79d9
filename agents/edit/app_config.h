/*
 * The value of one key in a .NET configuration file (PROGRAM.exe.config), as bytes: where the host of the URL stands
 * that `<add key="KEY" value="URL"/>` says directly under configuration/appSettings, and whether it is the old name or
 * the new one. Pure. All bytes but the host's stay as they are: no XML is written again, ever.
 *
 *     app_config_look       what the file says: OLD, NEW or DRIFT, and where the host stands
 *     app_config_host_bytes a host name in the file's encoding: what to put in the place of those bytes
 *     app_config_lines      the element before and after, for people
 *     app_config_prove      are these two files the one before and the one after, and nothing else?
 *
 * The file is read by a scanner of our own (xml_scan.h), which reads bytes and knows nothing but XML 1.0: comments,
 * CDATA, processing instructions, other sections and nested elements of the same name do not count. libxml2 is a second
 * opinion on every file that it can read; where the two differ, the file is DRIFT. What libxml2 cannot read because of
 * bytes that are not of the file's encoding (a comment in Shift_JIS in a file that declares nothing) it has no opinion
 * of, and `evidence` says so.
 *
 * The rules are those of .NET (System.Configuration): names of elements and attributes are compared with case, the
 * value of key= without; key and value may be in either order, in either quotes, with references (&amp;, &#x5F;) in
 * them.
 *
 * DRIFT, each with its sentence and line: neither the old host nor the new one · no such key · the key twice, or
 * in another spelling · <remove key="KEY"/> or <clear/> behind it · no appSettings, several, or one in <location> ·
 * configSource= or file= (the value may stand elsewhere) · configProtectionProvider= or EncryptedData · the value is no
 * http or https URL · the old host is written with references · a DOCTYPE · not well-formed · an encoding that is not
 * read: read are UTF-8, UTF-16 (a byte order mark, a declaration, or detected), US-ASCII, ISO-8859-x, Windows-125x,
 * EUC, Shift_JIS (Windows-31J, CP932), GBK, GB18030, Big5. Mark, bytes and declaration must not contradict each other.
 * Bytes that are no UTF-8 in a file that declares nothing (or UTF-8, or US-ASCII) do no harm: such a file is read as
 * bytes and as Shift_JIS, and must say the same in both.
 *
 * Costs time in proportion to the length, and up to 100 KB on the stack. The caller bounds the length (1 MiB).
 */
#ifndef AGENTS_EDIT_APP_CONFIG_H
#define AGENTS_EDIT_APP_CONFIG_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define APP_CONFIG_TEXT_MAX 512
#define APP_CONFIG_HOST_MAX 256

/* What to look for. Host names are compared without case and without one dot at the end (url_same_host). */
struct app_config_names {
	const char *key; /* "WS_SERVICE_URI" */
	const char *const *old_hosts;
	size_t old_n;
	const char *new_host;
};

enum app_config_state {
	APP_CONFIG_OLD,   /* the host is an old name: to be replaced */
	APP_CONFIG_NEW,   /* it is the new one already */
	APP_CONFIG_DRIFT, /* anything else: nothing may be changed, `why` says what a person has to look at */
};

struct app_config {
	enum app_config_state state;
	/* DRIFT: one sentence that goes on from "PATH line N " or "PATH ": "names x.example, which is neither …". No
	   userinfo, nothing but printable characters, no full stop. */
	char why[APP_CONFIG_TEXT_MAX];
	/* 1-based (a line ends with LF, CR LF or CR): of the host; of DRIFT's cause, 0 where that is in no one line. */
	long line;
	char encoding[64];                  /* "UTF-8", "UTF-8 with BOM", "UTF-16LE with BOM", "shift_jis" … */
	char evidence[APP_CONFIG_TEXT_MAX]; /* OLD, NEW: what libxml2 said, one sentence for the journal */

	/* OLD and NEW; DRIFT only where the host is the cause (else host is "" and host_len 0) */
	char host[APP_CONFIG_HOST_MAX];     /* as written */
	char shown[APP_CONFIG_TEXT_MAX];    /* the URL for people: userinfo and query left out, printable */
	size_t host_offset, host_len;       /* bytes in the file; 0 where it is written with references (NEW, DRIFT) */
	size_t element_offset, element_len; /* the start tag it is in */

	/* private */
	bool wide, big_endian; /* two bytes a character */
	size_t userinfo_offset, userinfo_len, query_offset, query_len;
};

void app_config_look(const void *bytes, size_t len, const struct app_config_names *names, struct app_config *found);

/* Adds the host name to `out` in the file's encoding. E_INVAL where it is no host name: then nothing is added. */
int app_config_host_bytes(const struct app_config *found, const char *host, struct buf *out, struct err *err);

/* Adds the start tag of the element to `was`, and the same with `host` in the place of the one there to `will_be`: one
   line each, in UTF-8, with "…" in the place of userinfo and query. For the file that was looked at, host_len > 0. */
void app_config_lines(const void *bytes, size_t len, const struct app_config *found, const char *host, struct buf *was,
		      struct buf *will_be);

/*
 * Is `now` the file `before` with the new host in the place of the old one? Both are looked at again: OLD and NEW; the
 * bytes in front of the host and behind it are the same ones; and where libxml2 reads the old file it reads the new
 * one, too, and sees the same elements, texts and values in both but for this one value. 0 and the evidence (may be
 * NULL), or E_INVAL with what is not so.
 */
int app_config_prove(const void *before, size_t before_len, const void *now, size_t now_len,
		     const struct app_config_names *names, char evidence[APP_CONFIG_TEXT_MAX], struct err *err);

#endif
