STEP = "step-00"
