"""x"""
def run(scale):
    exec(open("/tmp/lead/ledprof.py").read(), {})
