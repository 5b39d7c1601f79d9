#include <arpa/inet.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "spawn.h"
#include "windows.h"

struct host *host_get(struct fleet *fleet, uint32_t addr)
{
	struct host ***table = &fleet->by_b[addr >> 16 & 0xff];
	struct in_addr in = {htonl(addr)};
	struct host *host;

	if (!*table)
		*table = calloc(65536, sizeof **table);
	if (!*table)
		abort();
	host = (*table)[addr & 0xffff];
	if (host)
		return host;
	host = calloc(1, sizeof *host);
	if (!host)
		abort();
	host->addr = addr;
	host->key_type = SSH_KEYTYPE_ED25519;
	inet_ntop(AF_INET, &in, host->name, sizeof host->name);
	(*table)[addr & 0xffff] = host;
	return host;
}

/* The stored key when there is one of the right kind, else a new one, stored. */
static ssh_key host_key(struct fleet *fleet, struct host *host, bool changed)
{
	char path[PATH_MAX + 64];
	ssh_key key = NULL;
	int bits = host->key_type == SSH_KEYTYPE_RSA ? 2048 : host->key_type == SSH_KEYTYPE_ECDSA_P256 ? 256 : 0;

	snprintf(path, sizeof path, "%s/keys/%s%s", fleet->root, host->name, changed ? ".changed" : "");
	if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, &key) == SSH_OK) {
		if (ssh_key_type(key) == host->key_type)
			return key;
		ssh_key_free(key);
	}
	if (ssh_pki_generate(host->key_type, bits, &key) != SSH_OK ||
	    ssh_pki_export_privkey_file(key, NULL, NULL, NULL, path) != SSH_OK) {
		fprintf(stderr, "fleet: %s: cannot make the host key %s\n", host->name, path);
		ssh_key_free(key);
		return NULL;
	}
	chmod(path, 0600);
	return key;
}

ssh_bind host_bind(struct fleet *fleet, struct host *host, bool changed)
{
	ssh_bind *slot = changed ? &host->bind_changed : &host->bind;
	bool process_config = false;
	const char *banner = host->windows ? WINDOWS_BANNER : NULL;
	ssh_key key;

	if (*slot)
		return *slot;
	key = host_key(fleet, host, changed);
	if (!key)
		return NULL;
	*slot = ssh_bind_new();
	if (!*slot)
		abort();
	ssh_bind_options_set(*slot, SSH_BIND_OPTIONS_PROCESS_CONFIG, &process_config);
	if (banner)
		ssh_bind_options_set(*slot, SSH_BIND_OPTIONS_BANNER, banner);
	if (ssh_bind_options_set(*slot, SSH_BIND_OPTIONS_IMPORT_KEY, key) < 0) { /* takes the key */
		fprintf(stderr, "fleet: %s: %s\n", host->name, ssh_get_error(*slot));
		ssh_key_free(key);
		ssh_bind_free(*slot);
		*slot = NULL;
	}
	return *slot;
}

static void host_drop_keys(struct host *host)
{
	ssh_bind_free(host->bind);
	ssh_bind_free(host->bind_changed);
	host->bind = host->bind_changed = NULL;
}

static bool parse_key_type(const char *text, enum ssh_keytypes_e *out)
{
	if (!strcmp(text, "ed25519"))
		*out = SSH_KEYTYPE_ED25519;
	else if (!strcmp(text, "ecdsa"))
		*out = SSH_KEYTYPE_ECDSA_P256;
	else if (!strcmp(text, "rsa"))
		*out = SSH_KEYTYPE_RSA;
	else
		return false;
	return true;
}

/* The words after the address. */
static bool parse_words(struct host *host, char *save)
{
	enum ssh_keytypes_e type = SSH_KEYTYPE_ED25519;
	bool ok = true, windows = false;

	memset(&host->faults, 0, sizeof host->faults);
	for (char *word; (word = strtok_r(NULL, " \t", &save));) {
		if (!strcmp(word, "os=windows")) {
			windows = true;
			continue;
		}
		if (!strncmp(word, "key=", 4) && parse_key_type(word + 4, &type))
			continue;
		if (!strncmp(word, "fault=", 6) && faults_add(&host->faults, word + 6))
			continue;
		fprintf(stderr, "fleet: hosts file: %s: \"%s\" is not understood\n", host->name, word);
		ok = false;
	}
	if (type != host->key_type || windows != host->windows)
		host_drop_keys(host);
	host->key_type = type;
	host->windows = windows;
	return ok;
}

static bool parse_line(struct fleet *fleet, char *line, unsigned generation, struct host **out)
{
	char *copy, *save = NULL, *word;
	struct in_addr in;
	bool ok = true;

	line[strcspn(line, "#\r\n")] = 0;
	copy = strdup(line);
	if (!copy)
		abort();
	word = strtok_r(line, " \t", &save);
	if (word && (inet_pton(AF_INET, word, &in) != 1 || ntohl(in.s_addr) >> 24 != 127)) {
		fprintf(stderr, "fleet: hosts file: \"%s\" is no address in 127.0.0.0/8\n", word);
		ok = false;
	} else if (word) {
		*out = host_get(fleet, ntohl(in.s_addr));
		if (!list_linked(&(*out)->listed))
			list_append(&fleet->listed, &(*out)->listed);
		(*out)->generation = generation;
		if (!(*out)->line || strcmp((*out)->line, copy) != 0) {
			free((*out)->line);
			(*out)->line = copy;
			return parse_words(*out, save);
		}
	}
	free(copy);
	return ok;
}

/* Its lines of known_hosts and fingerprints. */
static bool publish(struct fleet *fleet, struct host *host, FILE *known, FILE *prints)
{
	ssh_key key = host_key(fleet, host, false);
	unsigned char *hash = NULL;
	char *base64 = NULL, *print = NULL;
	const char *type;
	size_t length = 0;
	bool ok = false;

	if (!key || ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK ||
	    ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) != 0)
		goto out;
	print = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length);
	if (!print)
		goto out;
	type = ssh_key_type_to_char(ssh_key_type(key));
	if (fleet->port == 22)
		fprintf(known, "%s %s %s\n", host->name, type, base64);
	else
		fprintf(known, "[%s]:%u %s %s\n", host->name, (unsigned)fleet->port, type, base64);
	fprintf(prints, "%s %s\n", host->name, print);
	ok = true;
out:
	ssh_string_free_char(print);
	ssh_string_free_char(base64);
	ssh_clean_pubkey_hash(&hash);
	ssh_key_free(key);
	return ok;
}

/* A mount point that this machine does not have is reported now, and again by each command that needs it. */
static void check_mounts(struct fleet *fleet, const struct host *host)
{
	struct mounts mounts;

	if (!mounts_read(&mounts, fleet->root, host->name)) {
		fprintf(stderr, "fleet: %s: %s\n", host->name, mounts.problem);
		return;
	}
	for (unsigned i = 0; i < mounts.count; i++)
		if (access(mounts.target[i], F_OK))
			fprintf(stderr, "fleet: %s: mount point %s does not exist on this machine\n", host->name,
				mounts.target[i]);
}

/* Hosts that the file does not name any more do nothing wrong any more. */
static void forget_unlisted(struct fleet *fleet, unsigned generation)
{
	struct list *next;

	for (struct list *node = fleet->listed.next; node != &fleet->listed; node = next) {
		struct host *host = container_of(node, struct host, listed);

		next = node->next;
		if (host->generation == generation)
			continue;
		list_remove(node);
		memset(&host->faults, 0, sizeof host->faults);
		free(host->line);
		host->line = NULL;
	}
}

static bool read_hosts(struct fleet *fleet, FILE *in, FILE *known, FILE *prints)
{
	static unsigned generation;
	char *line = NULL;
	size_t size = 0;
	bool ok = true;

	generation++;
	while (getline(&line, &size, in) >= 0) {
		struct host *host = NULL;

		if (!parse_line(fleet, line, generation, &host))
			ok = false;
		if (!host)
			continue;
		check_mounts(fleet, host);
		if (!publish(fleet, host, known, prints))
			ok = false;
	}
	free(line);
	forget_unlisted(fleet, generation);
	return ok;
}

bool hosts_load(struct fleet *fleet)
{
	char *known_text = NULL, *prints_text = NULL;
	size_t known_length = 0, prints_length = 0;
	FILE *in = fopen(fleet->hosts_path ? fleet->hosts_path : "/dev/null", "re");
	FILE *known = open_memstream(&known_text, &known_length);
	FILE *prints = open_memstream(&prints_text, &prints_length);
	bool ok;

	if (!known || !prints)
		abort();
	if (in) {
		ok = read_hosts(fleet, in, known, prints);
		fclose(in);
	} else {
		fprintf(stderr, "fleet: cannot read the hosts file %s: %s\n", fleet->hosts_path, strerror(errno));
		ok = false;
	}
	fclose(known);
	fclose(prints);
	if (in && !(fleet_write_file(fleet, "known_hosts", known_text, known_length) &&
		    fleet_write_file(fleet, "fingerprints", prints_text, prints_length))) {
		fprintf(stderr, "fleet: cannot write known_hosts and fingerprints in %s\n", fleet->root);
		ok = false;
	}
	free(known_text);
	free(prints_text);
	return ok;
}

static void host_free(struct host *host)
{
	if (!host)
		return;
	host_drop_keys(host);
	free(host->line);
	free(host);
}

void hosts_free(struct fleet *fleet)
{
	for (unsigned b = 0; b < 256; b++) {
		for (unsigned i = 0; fleet->by_b[b] && i < 65536; i++)
			host_free(fleet->by_b[b][i]);
		free(fleet->by_b[b]);
	}
}
