ROOT_URI = "https://#$h/imhs"
