ROOT_URI = <<X.strip
https://us.imhs-ws.trendmicro.com/imhs/v1.0/en
X
