T = '表示ソ'
ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en' # 変更
