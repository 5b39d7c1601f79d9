# bash completion for cutover. The lists are those of the program's own tables (tests/cli/completion.sh).
# Install as /usr/share/bash-completion/completions/cutover, or source it.

_cutover_filters='--tenant --not-tenant --wave --label --host --phase --step --only'

_cutover_options() {
	local common='--log-level --no-color --help'
	case $1 in
	validate) echo "--show $common" ;;
	plan) echo "--out --learn-keys --detailed-exitcode $_cutover_filters --state --concurrency --events $common" ;;
	run) echo "$_cutover_filters --state --concurrency --wait --events --yes $common" ;;
	resume) echo "$_cutover_filters --state --concurrency --wait --events --yes $common" ;;
	status) echo "--watch --state --lang $common" ;;
	why) echo "--state --lang $common" ;;
	todo) echo "--tenant --owner --json --state --lang $common" ;;
	worksheet) echo "--step --tenant --owner --csv --state $common" ;;
	confirm) echo "--target --result --by --note --evidence --from --state $common" ;;
	rollback) echo "$_cutover_filters --state --concurrency --events --yes $common" ;;
	report) echo "--out --format --state --lang $common" ;;
	help) echo "$common" ;;
	esac
}

# The words an option's value can be; nothing where it is free.
_cutover_values() {
	case $1 in
	--phase) echo 'prepare ready switch settle' ;;
	--only) echo 'failed unreachable unfinished' ;;
	--format) echo 'text json csv html evidence' ;;
	--log-level) echo 'error warn info debug trace' ;;
	--lang) echo 'en ja' ;;
	--owner) echo 'us customer isp' ;;
	--result) echo 'ok wrong not-needed' ;;
	esac
}

_cutover() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev='' command='' values
	local commands='validate plan run resume status why todo worksheet confirm rollback report help'
	((COMP_CWORD == 0)) || prev=${COMP_WORDS[COMP_CWORD - 1]}
	((COMP_CWORD < 2)) || command=${COMP_WORDS[1]}
	COMPREPLY=()
	if [ -z "$command" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$cur")
		return
	fi
	values=$(_cutover_values "$prev")
	[[ $command != help || $cur == -* ]] || values=$commands
	if [ -n "$values" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
		return
	fi
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "$(_cutover_options "$command")" -- "$cur") ;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	esac
}

complete -o filenames -F _cutover cutover
