ROOT_URI = 'https://us.imhs ws.example/'
