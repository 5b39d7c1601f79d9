ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
  # to Europe
  .sub('us', 'eu')
