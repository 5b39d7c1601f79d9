#!/usr/bin/ruby
# -*- coding: Shift_JIS-dos -*-
T = '•\'
ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
