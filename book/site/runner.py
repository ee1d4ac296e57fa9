def prepare(source, folder):
    return (), {}
