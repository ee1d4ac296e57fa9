STEP = "step-07"
