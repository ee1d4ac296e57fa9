STEP = "step-28"
