ROOT_URI = 'us.imhs-ws.trendmicro.com/imhs'
