# -*- coding: utf-8 -*-
# The directory-sync client of a demo host: reads USERS_FILE, checks each address, and notes in LOG_FILE how many users
# it has for which address of the service. The demo has no web service, so nothing is sent anywhere.
#
#   ruby imhs-ws-client.rb                  once; exit 1 and a message when the list cannot be used
#   ruby imhs-ws-client.rb --every SECONDS  again and again until it is stopped, as a service would
require 'time'
require_relative 'imhs-config'

ADDRESS = /\A[^@\s]+@[^@\s]+\z/.freeze

def users
  lines = File.readlines(USERS_FILE, chomp: true, encoding: 'UTF-8').drop(1)
  lines.each_with_index.map do |line, i|
    mail = line.split(',').last.to_s
    next mail if mail =~ ADDRESS

    abort "imhs-ws-client: #{USERS_FILE} line #{i + 2}: not a mail address: #{mail.inspect}; nothing was sent"
  end
end

def sync
  DOMAINS.each do |domain|
    n = users.count { |mail| mail.end_with?("@#{domain}") }
    File.open(LOG_FILE, 'a') do |log|
      log.puts "#{Time.now.iso8601} #{ROOT_URI}/domains/#{domain}/users: #{n} users, completed"
    end
  end
end

sync
if ARGV[0] == '--every'
  loop do
    sleep Integer(ARGV[1])
    sync
  end
end
