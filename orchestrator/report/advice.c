#include "report/advice.h"

#include "base/alloc.h"
#include "base/file.h"

/* From the special to the general: the first row that fits is taken. */
static const struct advice table[] = {
	{ STEP_DRIFT,
	  NULL,
	  { "The value is neither the old nor the new one", "値が旧値でも新値でもありません" },
	  { "Nothing was changed. Look at the value on the host: somebody set it, so ask who and why. If it should "
	    "move, put the old value back there and run again. If it is right as it stands, confirm the step.",
	    "何も変更していません。ホスト上の値を確認し、誰が何のために設定したかを確かめてください。"
	    "移行すべき値であれば旧値に戻して再実行し、そのままで正しければ確認 (confirm) を記録してください。" },
	  NULL,
	  { ADVICE_RUN_FAILED, ADVICE_CONFIRM } },
	{ STEP_INDETERMINATE,
	  NULL,
	  { "The outcome of a change is not known", "変更の結果が不明です" },
	  { "The line was cut, or the controller died, between a change and its outcome. Run again: the host is "
	    "looked at first, and nothing is repeated blindly.",
	    "変更と結果の記録の間に、接続またはコントローラが停止しました。再実行してください。"
	    "最初にホストの状態を調べ、変更を無条件に繰り返すことはありません。" },
	  NULL,
	  { ADVICE_RESUME } },
	{ STEP_ROLLED_BACK,
	  NULL,
	  { "Put back as it was", "元に戻しました" },
	  { "The before-image is in its place again and was looked at. It is done again only when you name the "
	    "tenant, the host or the step.",
	    "変更前の状態に戻し、確認済みです。再度実施するには、テナント、ホスト、または手順を指定してください。" },
	  NULL,
	  { ADVICE_RUN_NAMED } },
	{ STEP_UNREACHABLE,
	  "refused",
	  { "The host refuses the connection", "ホストが接続を拒否しています" },
	  { "Nothing listens on that port, or a firewall rejects this machine. See that sshd runs there and that "
	    "address and port in the inventory are right. Nothing was changed.",
	    "該当ポートで待ち受けがないか、ファイアウォールが拒否しています。sshd "
	    "の稼働と、インベントリのアドレスおよびポートを"
	    "確認してください。何も変更していません。" },
	  NULL,
	  { ADVICE_RUN_UNREACHABLE } },
	{ STEP_UNREACHABLE,
	  "closed",
	  { "The host cuts the connection", "ホストが接続を切断します" },
	  { "It answers and hangs up: sshd may be full (MaxStartups), may have banned this machine for earlier failures "
	    "(PerSourcePenalties, up to ten minutes), or a firewall cuts in. Look at sshd's log there, then run again.",
	    "応答後に切断されます。sshd の接続数上限 (MaxStartups)、以前の失敗による一時拒否 (PerSourcePenalties、"
	    "最長 10 分)、またはファイアウォールが考えられます。ホスト側の sshd のログを確認し、"
	    "再実行してください。" },
	  NULL,
	  { ADVICE_RUN_UNREACHABLE } },
	{ STEP_UNREACHABLE,
	  NULL,
	  { "The host does not answer", "ホストが応答しません" },
	  { "Is it up, is the name right, is the way there open (VPN, bastion, firewall)? The text names the phase "
	    "that was waited for. It is tried again until the window ends; run again when it is back.",
	    "稼働状況、ホスト名、経路 (VPN、踏み台、ファイアウォール) "
	    "を確認してください。どの段階で待っていたかはメッセージに"
	    "示されています。作業時間帯が終わるまで再試行します。復旧後に再実行してください。" },
	  NULL,
	  { ADVICE_RUN_UNREACHABLE } },
	{ -1,
	  "host-key",
	  { "The host shows a key that is not the known one", "ホスト鍵が登録済みのものと一致しません" },
	  { "Do not accept it unseen: it may be another machine. Ask who reinstalled it, and compare on its "
	    "console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. If it is the right one, put that "
	    "fingerprint into the inventory (host_key, or the known_hosts file) and run again. The tenant is "
	    "stopped until then.",
	    "確認せずに受け入れないでください。別のマシンの可能性があります。再構築の有無を確認し、コンソールで "
	    "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub の結果と照合してください。正しければインベントリ "
	    "(host_key または known_hosts) を更新して再実行します。それまでこのテナントは停止しています。" },
	  NULL,
	  { ADVICE_RUN_EDITED } },
	{ -1,
	  "identity",
	  { "It is not the host that it should be", "対象のホストではありません" },
	  { "Another machine answers at that address, perhaps another customer's. Nothing was changed and the "
	    "tenant is stopped. Correct address, via or identity_check in the inventory, then run again.",
	    "そのアドレスで別のマシン (別のお客様のものかもしれません) "
	    "が応答しています。何も変更せず、テナントを停止しました。"
	    "インベントリの address、via、identity_check を修正して再実行してください。" },
	  NULL,
	  { ADVICE_RUN_EDITED } },
	{ -1,
	  "authentication",
	  { "The login was refused", "ログインが拒否されました" },
	  { "See that the inventory's user and key are right, that the public key is in that user's "
	    "~/.ssh/authorized_keys, that neither file nor folder can be written by others, and that the account "
	    "is not locked. It was not tried again: refused logins get this machine banned.",
	    "インベントリのユーザと鍵、~/.ssh/authorized_keys "
	    "への公開鍵の登録、ファイルとフォルダの権限、アカウントのロックを確認して"
	    "ください。拒否が続くと接続元が遮断されるため、再試行はしていません。" },
	  NULL,
	  { ADVICE_RUN_FAILED } },
	{ -1,
	  "sudo",
	  { "sudo asks for a password, or does not allow it", "sudo がパスワードを要求するか、許可されていません" },
	  { "On the host, as root, put the line below into the file /etc/sudoers.d/cutover (mode 0440; LOGIN is "
	    "the inventory's user) and check it with visudo -c. Take the file away when the migration is over.",
	    "ホスト上で root として、下の行を /etc/sudoers.d/cutover (モード 0440) に追加し、visudo -c "
	    "で確認してください (LOGIN はインベントリのユーザ)。移行完了後に削除してください。" },
	  "LOGIN ALL=(ALL:ALL) NOPASSWD: ALL",
	  { ADVICE_RUN_FAILED } },
	{ -1,
	  "key-exchange",
	  { "No common algorithms with the host", "ホストと共通の暗号方式がありません" },
	  { "Its sshd is too old, too strict, or has an RSA host key only, which needs a controller with libssh2 "
	    "1.11 or newer (Debian 13). Compare with: ssh -vv USER@HOST. An ed25519 or ecdsa host key on the host "
	    "settles most cases.",
	    "sshd が古すぎるか、制限が厳しいか、RSA ホスト鍵のみ (libssh2 1.11 以降が必要) です。ssh -vv "
	    "で確認してください。ed25519 または ecdsa のホスト鍵を追加すれば多くの場合解決します。" },
	  NULL,
	  { ADVICE_RUN_FAILED } },
	{ -1,
	  "signing",
	  { "The private key cannot be used", "秘密鍵を使用できません" },
	  { "The key file is damaged, encrypted, of a kind that is not supported, or others can read it (mode 0600 "
	    "is demanded). Correct it on this machine, then run again.",
	    "鍵ファイルが破損、暗号化、未対応の形式、または権限が 0600 "
	    "ではありません。このマシン上で修正し、再実行してください。" },
	  NULL,
	  { ADVICE_RUN_FAILED } },
	{ -1,
	  "locked",
	  { "Another controller works on the target", "別のコントローラが対象を使用中です" },
	  { "Find out who: two nights at once on one host is a mistake. Run again when the other one has ended.",
	    "誰が使用しているか確認してください。同じホストで同時に作業してはいけません。終了後に再実行してください。" },
	  NULL,
	  { ADVICE_RUN_FAILED } },
	{ -1,
	  "changed",
	  { "It changed while it was worked on", "作業中に内容が変わりました" },
	  { "Somebody, or something that manages this host, wrote to it between our look and our change; ours was "
	    "not made. Find out who, then run again.",
	    "確認と変更の間に、別の人または管理ツールが書き換えました。こちらの変更は行っていません。"
	    "原因を確認して再実行してください。" },
	  NULL,
	  { ADVICE_RUN_FAILED } },
	{ -1,
	  "permission",
	  { "It is not allowed on the host", "ホスト上で権限がありません" },
	  { "The login may not read or write what the text names. Either give it the right, or set become to sudo in the "
	    "inventory.",
	    "メッセージに示された対象への権限がありません。権限を付与するか、インベントリで become を sudo にしてください。" },
	  NULL,
	  { ADVICE_RUN_EDITED } },
	{ -1,
	  "not-found",
	  { "Something is not where it should be", "想定した場所に見つかりません" },
	  { "Look for it on the host. If it lies elsewhere, say so in the inventory (path, schedule, run); if this "
	    "host does not have it at all, take the agent out, or confirm the step as not needed.",
	    "ホスト上で探してください。別の場所にあればインベントリ (path、schedule、run) "
	    "を修正し、存在しないホストであればエージェントを"
	    "外すか、不要 (not-needed) として確認してください。" },
	  NULL,
	  { ADVICE_RUN_EDITED } },
	{ -1,
	  "no-space",
	  { "The host's disk is full", "ホストのディスクに空きがありません" },
	  { "Nothing was half-written. Make room on the host, then run again.",
	    "書きかけのファイルは残していません。空き容量を確保して再実行してください。" },
	  NULL,
	  { ADVICE_RUN_FAILED } },
	{ -1,
	  "timeout",
	  { "It took longer than it may", "制限時間を超えました" },
	  { "What ran was killed on the host. Try the command there by hand: does it hang, or is it only slow? If "
	    "slow, give it more time in the inventory (timeout_s), then run again.",
	    "実行中の処理はホスト上で終了させました。手動で実行し、停止しているのか遅いだけかを確認してください。"
	    "遅いだけであればインベントリの timeout_s を延ばして再実行してください。" },
	  NULL,
	  { ADVICE_RUN_FAILED } },
	{ -1,
	  "closed",
	  { "The connection was cut", "接続が切断されました" },
	  { "The host went away in the middle of the work. Run again: it is looked at first, and what is done is "
	    "not done twice.",
	    "作業中に接続が切れました。再実行してください。最初に状態を確認し、完了した作業は繰り返しません。" },
	  NULL,
	  { ADVICE_RUN_FAILED } },
	{ -1,
	  "limit",
	  { "More, or larger, than is allowed", "許容量を超えています" },
	  { "A file or an output is larger than this program takes. Look whether it is the right file; if it is, "
	    "do this host by hand and confirm the step.",
	    "ファイルまたは出力が上限を超えています。正しいファイルであれば、このホストは手作業で実施し、"
	    "確認を記録してください。" },
	  NULL,
	  { ADVICE_CONFIRM } },
	{ -1,
	  "invalid",
	  { "What was found is not as it must be", "内容が条件を満たしていません" },
	  { "The text says what was expected and what came. Correct it on the host, or the expectation in the "
	    "inventory, then run again.",
	    "期待値と実際の内容はメッセージに示されています。"
	    "ホスト側またはインベントリの期待値を修正して再実行してください。" },
	  NULL,
	  { ADVICE_RUN_EDITED } },
	{ -1,
	  "bug",
	  { "A fault of this program", "本プログラムの障害です" },
	  { "Keep the state file and send it with the text to whoever maintains cutover. Do this host by hand.",
	    "状態ファイルとメッセージを cutover の保守担当者に送付してください。このホストは手作業で実施してください。" },
	  NULL,
	  { ADVICE_NONE } },
	{ -1,
	  NULL,
	  { "It did not work", "実行できませんでした" },
	  { "Read the text and the output kept with it, set right what they name, then run again: what is done is "
	    "not done twice.",
	    "メッセージと出力を確認し、原因を取り除いて再実行してください。完了した作業は繰り返しません。" },
	  NULL,
	  { ADVICE_RUN_FAILED } },
};

const struct advice *advice_find(enum step_state state, const char *code)
{
	size_t last = ARRAY_LEN(table) - 1;

	for (size_t i = 0; i < last; i++) {
		bool state_fits = table[i].state < 0 || table[i].state == (int)state;
		bool code_fits = !table[i].code || strcmp(table[i].code, code) == 0;

		if (state_fits && code_fits)
			return &table[i];
	}
	return &table[last];
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

/* So many tenants are named in a command; beyond it the step says it shorter. */
#define NAMED_MAX 6

void advice_quote(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:@%+=,";

	if (*word && word[strspn(word, plain)] == '\0') {
		buf_adds(out, word);
		return;
	}
	buf_addc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *word);
	}
	buf_addc(out, '\'');
}

#define STATE_FILE_DEFAULT "cutover.db"

/* Only where the command would not find it by itself. */
static void add_state(const struct report *r, const char *otherwise, struct buf *out)
{
	if (!*r->state_file || strcmp(r->state_file, otherwise) == 0)
		return;
	buf_adds(out, " --state ");
	advice_quote(out, r->state_file);
}

void advice_state(const struct report *r, struct buf *out)
{
	add_state(r, STATE_FILE_DEFAULT, out);
}

void advice_resume(const struct report *r, struct buf *out)
{
	buf_adds(out, "cutover resume");
	add_state(r, STATE_FILE_DEFAULT, out);
}

static void add_run(const struct report *r, struct buf *out)
{
	char *folder = file_dirname(r->inventory);
	char *beside = file_join(folder, STATE_FILE_DEFAULT);

	buf_adds(out, "cutover run ");
	advice_quote(out, *r->inventory ? r->inventory : "INVENTORY");
	add_state(r, beside, out);
	free(folder);
	free(beside);
}

void advice_confirm(const struct report *r, const struct report_row *row, const char *result, struct buf *out)
{
	buf_adds(out, "cutover confirm ");
	advice_quote(out, row->tenant->id);
	buf_addc(out, ' ');
	advice_quote(out, row->row->step);
	buf_adds(out, " --target ");
	advice_quote(out, row->row->target);
	buf_addf(out, " --result %s --by NAME", result);
	add_state(r, STATE_FILE_DEFAULT, out);
}

/* Narrows a command down to the rows that it is about. */
static void add_selection(const struct report_cause *cause, const struct report_row *row, struct buf *out)
{
	const struct report_tenant *last = NULL;

	if (row) {
		buf_adds(out, " --tenant ");
		advice_quote(out, row->tenant->id);
		return;
	}
	if (cause->tenants_n > NAMED_MAX) {
		buf_adds(out, " --step ");
		advice_quote(out, cause->step);
		return;
	}
	buf_adds(out, " --tenant");
	for (size_t i = 0; i < cause->rows_n; i++) {
		if (cause->rows[i]->tenant == last)
			continue;
		last = cause->rows[i]->tenant;
		buf_addc(out, ' ');
		advice_quote(out, last->id);
	}
}

static void add_command(const struct report *r, enum advice_command command, const struct report_cause *cause,
			const struct report_row *row, struct buf *out)
{
	switch (command) {
	case ADVICE_NONE:
		return;
	case ADVICE_RUN_FAILED:
		advice_resume(r, out);
		buf_adds(out, " --only failed");
		add_selection(cause, row, out);
		break;
	case ADVICE_RUN_UNREACHABLE:
		advice_resume(r, out);
		buf_adds(out, " --only unreachable");
		add_selection(cause, row, out);
		break;
	case ADVICE_RUN_EDITED:
		add_run(r, out);
		buf_adds(out, " --only failed");
		add_selection(cause, row, out);
		break;
	case ADVICE_RESUME:
		advice_resume(r, out);
		break;
	case ADVICE_RUN_NAMED:
		advice_resume(r, out);
		add_selection(cause, row, out);
		break;
	case ADVICE_CONFIRM:
		advice_confirm(r, row ? row : cause->rows[0], "ok", out);
		break;
	}
	buf_addc(out, '\n');
}

void advice_commands(const struct report *r, const struct advice *advice, const struct report_cause *cause,
		     const struct report_row *row, struct buf *out)
{
	for (size_t i = 0; i < ADVICE_COMMANDS_MAX; i++)
		add_command(r, advice->commands[i], cause, row, out);
}
