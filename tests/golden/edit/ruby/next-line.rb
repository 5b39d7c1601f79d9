ROOT_URI =
  # the vendor's
  'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
