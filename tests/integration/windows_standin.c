/*
 * Stand-ins for the programs of Windows that deploy/bootstrap/windows.cmd uses and Wine has not, one program under their
 * names: net, netsh, dism, whoami, icacls, sc (for sshd only), ping, fc, taskkill, ssh-keygen, ssh-keyscan. Their state is
 * files below C:\standin and the registry's key of the service sshd; each call is a line of C:\standin\calls. Texts and
 * exit codes as in Windows' documentation, with German group names and labels, since nothing may depend on English ones.
 *
 * C:\standin\fail holds the beginning of a call ("net user"): those fail with 5. not-elevated: whoami says so. shown-print:
 * the fingerprint of the key that sshd shows, where it is not that of its file.
 */
#include <windows.h>

#include <fcntl.h>
#include <io.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOME "C:\\standin\\"
#define SSH "C:\\ProgramData\\ssh\\"
#define SERVICE "SYSTEM\\CurrentControlSet\\Services\\sshd"

static int argc_;
static char **argv_;

static bool has(const char *word)
{
	for (int i = 1; i < argc_; i++)
		if (_stricmp(argv_[i], word) == 0)
			return true;
	return false;
}

static const char *arg(int n)
{
	return n < argc_ ? argv_[n] : "";
}

static bool exists(const char *path)
{
	return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

static void write_text(const char *path, const char *mode, const char *text)
{
	FILE *f = fopen(path, mode);

	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

static void print_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	int c;

	while (f && (c = fgetc(f)) != EOF) {
		if (c == '\n')
			putchar('\r');
		putchar(c);
	}
	if (f)
		fclose(f);
}

static void set_start(DWORD start)
{
	HKEY key;

	RegCreateKeyExA(HKEY_LOCAL_MACHINE, SERVICE, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL);
	RegSetValueExA(key, "Start", 0, REG_DWORD, (const BYTE *)&start, sizeof(start));
	RegCloseKey(key);
}

static void make_service(void)
{
	const char path[] = "%SystemRoot%\\System32\\OpenSSH\\sshd.exe";
	HKEY key;

	set_start(3);
	RegOpenKeyExA(HKEY_LOCAL_MACHINE, SERVICE, 0, KEY_ALL_ACCESS, &key);
	RegSetValueExA(key, "ImagePath", 0, REG_EXPAND_SZ, (const BYTE *)path, sizeof(path));
	RegCloseKey(key);
}

static bool service_is_there(void)
{
	HKEY key;
	bool there = RegOpenKeyExA(HKEY_LOCAL_MACHINE, SERVICE, 0, KEY_READ, &key) == 0;

	if (there)
		RegCloseKey(key);
	return there;
}

/* sshd's first start makes its settings and its keys. */
static void start_service(void)
{
	CreateDirectoryA(SSH, NULL);
	if (!exists(SSH "sshd_config"))
		CopyFileA(HOME "sshd_config", SSH "sshd_config", TRUE);
	CopyFileA(HOME "hostkey.pub", SSH "ssh_host_ed25519_key.pub", TRUE);
	write_text(HOME "running", "wb", "");
}

/* ---- the programs ------------------------------------------------------------------------------------------------ */

static int net_user(void)
{
	char path[MAX_PATH], members[512] = HOME "members";

	snprintf(path, sizeof(path), HOME "users\\%s", arg(2));
	if (has("/add")) {
		write_text(path, "wb", arg(3));
		return 0;
	}
	if (!exists(path)) {
		fprintf(stderr, "Der Benutzername konnte nicht gefunden werden.\n");
		return 2;
	}
	if (has("/delete")) {
		DeleteFileA(path);
		DeleteFileA(members);
		write_text(members, "wb", "Administrator\n");
	}
	return 0;
}

static int net_localgroup(void)
{
	if (_stricmp(arg(2), "Administratoren") != 0)
		return 2;
	if (has("/add")) {
		char line[256];

		snprintf(line, sizeof(line), "%s\n", arg(3));
		write_text(HOME "members", "ab", line);
		return 0;
	}
	printf("Aliasname        Administratoren\r\nMitglieder\r\n\r\n-----\r\n");
	print_file(HOME "members");
	printf("Der Befehl wurde erfolgreich ausgef\xfchrt.\r\n");
	return 0;
}

static int net(void)
{
	if (_stricmp(arg(1), "user") == 0)
		return net_user();
	if (_stricmp(arg(1), "localgroup") == 0)
		return net_localgroup();
	if (_stricmp(arg(1), "start") == 0)
		start_service();
	else
		DeleteFileA(HOME "running");
	return 0;
}

static int netsh(void)
{
	if (has("show"))
		return exists(HOME "rule") ? 0 : 1;
	if (has("delete"))
		return DeleteFileA(HOME "rule") ? 0 : 1;
	write_text(HOME "rule", "wb", "");
	for (int i = 1; i < argc_; i++) {
		write_text(HOME "rule", "ab", argv_[i]);
		write_text(HOME "rule", "ab", i + 1 < argc_ ? " " : "\n");
	}
	return 0;
}

/* 3010: done, and a restart is wanted. */
static int dism(void)
{
	if (has("/add-capability")) {
		make_service();
		return 3010;
	}
	RegDeleteKeyA(HKEY_LOCAL_MACHINE, SERVICE);
	return 0;
}

static int whoami(void)
{
	printf("\"VORDEFINIERT\\Administratoren\",\"Alias\",\"S-1-5-32-544\",\"Obligatorische Gruppe\"\r\n");
	printf("\"VORDEFINIERT\\Benutzer\",\"Alias\",\"S-1-5-32-545\",\"Obligatorische Gruppe\"\r\n");
	printf("\"Verbindlichkeit\\x\",\"Bezeichnung\",\"%s\",\"\"\r\n",
	       exists(HOME "not-elevated") ? "S-1-16-8192" : "S-1-16-12288");
	return 0;
}

static int sc(void)
{
	if (!service_is_there()) {
		printf("[SC] EnumQueryServicesStatus:OpenService FEHLER 1060:\r\n");
		return 1060;
	}
	if (_stricmp(arg(1), "config") == 0)
		set_start(has("auto") ? 2 : has("demand") ? 3 : 4);
	else
		printf("\r\nSERVICE_NAME: sshd\r\n        TYP                : 10  WIN32_OWN_PROCESS\r\n"
		       "        STATUS             : %s\r\n        WIN32_BEENDEN_CODE : 4  (0x4)\r\n",
		       exists(HOME "running") ? "4  RUNNING" : "1  STOPPED");
	return 0;
}

static int ping(void)
{
	if (has("-4"))
		printf("\r\nPing wird ausgef\xfchrt f\xfcr %s [192.168.1.10] mit 32 Bytes Daten:\r\n", argv_[argc_ - 1]);
	return 0;
}

static int fc(void)
{
	FILE *a = fopen(arg(2), "rb"), *b = fopen(arg(3), "rb");
	int x, y, code = !a || !b ? 2 : 0;

	while (code == 0) {
		x = fgetc(a);
		y = fgetc(b);
		if (x != y)
			code = 1;
		else if (x == EOF)
			break;
	}
	if (a)
		fclose(a);
	if (b)
		fclose(b);
	return code;
}

/* -l: the fingerprint of the host key, worked out elsewhere, and of the one that sshd shows; else a key pair, whose numbers count. */
static int keygen(void)
{
	const char *path = argv_[argc_ - 1];
	char public[MAX_PATH + 8];

	if (has("-l")) {
		print_file(strstr(path, "shown") && exists(HOME "shown-print") ? HOME "shown-print" : HOME "print");
		return 0;
	}
	snprintf(public, sizeof(public), "%s.pub", path);
	write_text(public, "wb", "ssh-ed25519 AAAA x\n");
	write_text(path, "wb", "-----BEGIN OPENSSH PRIVATE KEY-----\nfirst\nsecond\nthird\n"
			      "4444444444444444444444444444444444444444444444444444444444444444444444\nfifth\n-----END\n");
	return 0;
}

static int keyscan(void)
{
	printf("127.0.0.1 ");
	print_file(HOME "hostkey.pub");
	return 0;
}

static bool fails(const char *call)
{
	char text[256] = "";
	FILE *f = fopen(HOME "fail", "r");

	if (!f || !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	text[strcspn(text, "\r\n")] = '\0';
	return *text && strncmp(call, text, strlen(text)) == 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} programs[] = { { "net", net },     { "netsh", netsh },     { "dism", dism },	       { "whoami", whoami },
			 { "sc", sc },	     { "ping", ping },	     { "fc", fc },	       { "icacls", NULL },
			 { "taskkill", NULL }, { "ssh-keygen", keygen }, { "ssh-keyscan", keyscan } };
	const char *slash = strrchr(argv[0], '\\'), *base = slash ? slash + 1 : argv[0];
	char name[64] = "", call[4096];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
	_setmode(1, _O_BINARY);
	argc_ = argc;
	argv_ = argv;
	snprintf(call, sizeof(call), "%s", name);
	for (int i = 1; i < argc; i++)
		snprintf(call + strlen(call), sizeof(call) - strlen(call), " %s", argv[i]);
	write_text(HOME "calls", "ab", call);
	write_text(HOME "calls", "ab", "\n");
	if (fails(call))
		return 5;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (_stricmp(name, programs[i].name) == 0)
			return programs[i].run ? programs[i].run() : 0;
	return 9;
}
