=begin old
ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
=ending
=end of it
ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
