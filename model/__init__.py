STEP = "step-25"
