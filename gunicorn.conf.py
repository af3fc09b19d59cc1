"""gunicorn reads this file where it is started; the request line would show `?secret=`."""

access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s %(M)sms'
forwarded_allow_ips = "127.0.0.1"
