#!/usr/bin/perl
# fake_windows.pl ROOT -c COMMAND: a login shell that plays a Windows host as far as the transport talks to one, and does it
# wrong on demand. ROOT/C is its drive; ROOT/fault holds a word (below), ROOT/log what it was asked, ROOT/pids all its
# processes.
#
#   cmd.exe /d /q   answers hello, runs what it is given: a script ends with its first argument as its code, "slow" never; a
#                   command (exec.cmd) likewise with its first word; del and rmdir do what they say
#   fake-sftp       SFTP version 3 on the drive
#
# Faults: mute, gone (cmd.exe says nothing, ends at once), noroot, number (marks of another line), size (more than there
# is), twice (done twice), flood, die (ends while a script runs), halfmark, sftp-none, sftp-mute, sftp-garbage, sftp-huge,
# sftp-half (ends in the middle of its answer to a write), sftp-cut (ends instead of it), sftp-flood (answers that nobody
# asked for), sftp-long (more data than was asked for).
use strict;
use warnings;

my ($root, undef, $command) = @ARGV;
my $fault = read_file("$root/fault");
chomp $fault;
$| = 1;
binmode STDIN;
binmode STDOUT;

{ open(my $f, '>>', "$root/pids"); print $f "$$\n"; }

sub read_file { open(my $f, '<:raw', $_[0]) or return ''; local $/; my $text = <$f>; return $text // ''; }
sub log_line { open(my $f, '>>', "$root/log") or return; print $f "$_[0]\n"; }
sub local_path { my $path = shift; $path =~ s,\\,/,g; $path =~ s,^/?([A-Za-z]):,$root/\U$1,; return $path; }
sub say_out { syswrite(STDOUT, $_[0]); }

# --- cmd.exe

sub run_script {
	my ($run, $out) = @_;
	my ($first) = read_file(local_path($run)) =~ / "([^"]*)"/;
	open(my $f, '>', local_path($out));
	print $f "ran $first\n";
	close $f;
	sleep 1000 if $first eq 'slow';
	exit 0 if $fault eq 'die';
	return $first;
}

sub exec_command {
	my ($folder, $nonce, $n) = @_;
	my $line = read_file(local_path("$folder\\x$n.txt"));
	$line =~ s/^ |\r\n$//g;
	say_out("\r\n\@$nonce $n begin\r\n");
	syswrite(STDERR, "\r\n\@$nonce $n start\r\n");
	sleep 1000 if $line eq 'slow';
	while ($line eq 'flood') { say_out("flood " x 1000); }
	exit 0 if $fault eq 'die';
	say_out("did $line\r\n");
	syswrite(STDERR, "\r\n\@$nonce $n exit $line\r\n");
	say_out("\r\n\@$nonce $n out\r\n") unless $fault eq 'halfmark';
	sleep 1000 if $fault eq 'halfmark';
}

sub cmd {
	exit 1 if $fault eq 'gone';
	sleep 1000 if $fault eq 'mute';
	say_out("Microsoft Windows [Version 10.0.20348]\r\n(c) Microsoft Corporation.\r\n\r\n");
	while (my $line = <STDIN>) {
		log_line("line $line");
		if ($line =~ /exec\.cmd (\S+) (\d+)/) {
			my ($nonce, $n) = ($1, $2);
			$line =~ m,/c (\S+)\\exec\.cmd,;
			exec_command($1, $nonce, $n);
			next;
		}
		my ($nonce, $n) = $line =~ /& echo @(\S+) (\d+) done/;
		$n += 7 if $fault eq 'number' && $n < 1000000000;
		my $code = 0;
		if ($line =~ /SystemRoot/) {
			say_out("\@$nonce $n root \"C:\\windows\"\r\n") unless $fault eq 'noroot';
			say_out("\@$nonce $n page  437\r\n\@$nonce $n done\r\n");
			next;
		}
		if ($line =~ m,/c (\S+r\d+\.cmd) <\S+ >(\S+) 2>([^&\s]+)&,) {
			my ($run, $out, $err) = ($1, $2, $3);
			while ($fault eq 'flood') { say_out("flood " x 1000); }
			$code = run_script($run, $out);
			open(my $f, '>', local_path($err));
			my $size = (-s local_path($out)) + ($fault eq 'size' ? 100 : 0);
			say_out("\@$nonce $n code $code\r\n\@$nonce $n size $size\r\n\@$nonce $n size 0\r\n\@$nonce $n done\r\n");
			say_out("\@$nonce $n done\r\n") if $fault eq 'twice';
			next;
		}
		if ($line =~ /^del /) {
			unlink(local_path($_)) for $line =~ /([A-Z]:\S+)/g;
		} elsif ($line =~ /^rmdir \S+ \S+ (\S+)/) {
			my $folder = local_path($1);
			unlink glob("$folder/*");
			rmdir $folder;
		}
		say_out("\@$nonce $n code 0\r\n\@$nonce $n done\r\n");
	}
}

# --- SFTP

my (%handles, $next);

sub need { my $n = shift; my $bytes = ''; while (length($bytes) < $n) { sysread(STDIN, $bytes, $n - length($bytes), length($bytes)) or exit 0; } return $bytes; }
sub answer { my ($type, $id, $body) = @_; say_out(pack('NCN', 5 + length($body), $type, $id) . $body); }
sub status { my ($id, $code) = @_; answer(101, $id, pack('NN/aN/a', $code, 'said', '')); }

sub done { my ($id, $good) = @_; status($id, $good ? 0 : $!{ENOENT} ? 2 : $!{EACCES} ? 3 : 4); }

sub do_open {
	my ($id, $path, $flags) = @_;
	my $mode = $flags & 2 ? ($flags & 16 ? '+>' : '+<') : '<';
	unless (-e $path) {
		return status($id, 2) unless $flags & 8;
		$mode = '+>';
	}
	open(my $f, "$mode:raw", $path) or return done($id, 0);
	$handles{++$next} = $f;
	answer(102, $id, pack('N/a', "$next"));
}

sub stat_of {
	my ($id, $path) = @_;
	my @s = stat($path) or return done($id, 0);
	answer(105, $id, pack('NNNNNN', 13, 0, $s[7], $s[2], $s[8], $s[9]));
}

# Returns false where the answer is the fault.
sub break_write {
	my $id = shift;
	exit 0 if $fault eq 'sftp-cut';
	if ($fault eq 'sftp-half') { say_out(pack('NC', 24, 101)); exit 0; }
	if ($fault eq 'sftp-flood') { status($id + 1000, 0) while 1; }
	if ($fault eq 'sftp-huge') { say_out(pack('N', 1 << 30) . 'x'); sleep 1000; }
}

sub packet {
	my ($type, $id, $body) = @_;
	my ($first, $rest) = unpack('N/a a*', $body);
	my $path = local_path($first);
	log_line("sftp $type $first");
	if ($type == 3) { do_open($id, $path, unpack('N', $rest)); }
	elsif ($type == 4) { delete $handles{$first}; status($id, 0); }
	elsif ($type == 5) {
		my ($high, $low, $len) = unpack('NNN', $rest);
		sysseek($handles{$first}, $low, 0);
		my $n = sysread($handles{$first}, my $data, $len);
		$data .= 'x' x 40000 if $n && $fault eq 'sftp-long';
		$n ? answer(103, $id, pack('N/a', $data)) : status($id, 1);
	} elsif ($type == 6) {
		break_write($id);
		my ($high, $low, $data) = unpack('NN N/a', $rest);
		sysseek($handles{$first}, $low, 0);
		done($id, defined syswrite($handles{$first}, $data));
	}
	elsif ($type == 9) { done($id, chmod((unpack('NN', $rest))[1], $path)); }
	elsif ($type == 13) { done($id, unlink($path)); }
	elsif ($type == 14) { done($id, mkdir($path)); }
	elsif ($type == 16) { answer(104, $id, pack('N N/a N/a N', 1, $first, '', 0)); }
	elsif ($type == 17) { stat_of($id, $path); }
	elsif ($type == 18) { my $to = local_path(unpack('N/a', $rest)); -e $to ? status($id, 4) : done($id, rename($path, $to)); }
	else { status($id, 8); }
}

sub sftp {
	exit 1 if $fault eq 'sftp-none';
	sleep 1000 if $fault eq 'sftp-mute';
	if ($fault eq 'sftp-garbage') { say_out("Welcome to this host!\n"); sleep 1000; }
	while (1) {
		my $len = unpack('N', need(4));
		my ($type, $id, $body) = unpack('CNa*', need($len));
		if ($type == 1) { say_out(pack('NCN', 5, 2, 3)); next; }
		packet($type, $id, $body);
	}
}

use Errno;
$command =~ /sftp/ ? sftp() : cmd();
