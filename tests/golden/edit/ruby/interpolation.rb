H = "x"
ROOT_URI = "https://#{H}/imhs/v1.0/en"
