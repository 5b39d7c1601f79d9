# coding: cp932
T = '表' # ソ
V = "ソ"
ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
