ROOT_URI=%Q{https://us.imhs-ws.trendmicro.com/imhs/v1.0/en}.freeze
