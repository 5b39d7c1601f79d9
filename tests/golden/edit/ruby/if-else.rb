if X
  ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'
else
  ROOT_URI = 'https://b.example/'
end
