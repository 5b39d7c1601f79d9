ROOT_URI = ENV.fetch('IMHS_ROOT', 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en')
