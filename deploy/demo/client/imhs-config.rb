# -*- coding: utf-8 -*-
# Hosted Email Security, Web Services client: settings of @DOMAIN@
#
# 2011-02-14  first version
# 2013-09-30  time-outs raised, the night's import was cut off (変更: 佐藤)
#
# The vendor's test system, only with its consent:
# ROOT_URI = 'https://test.imhs-ws.trendmicro.com/imhs/v1.0/en'

ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'

# The console's administrator, and the service authentication key from the console's page "Web Services".
ACCOUNT = 'admin@@DOMAIN@'
API_KEY = '@API_KEY@'

DOMAINS = ['@DOMAIN@']
USERS_FILE = File.join(__dir__, 'users.csv')
LOG_FILE = '/var/log/imhs-sync.log'

OPEN_TIMEOUT = 30
READ_TIMEOUT = 600
