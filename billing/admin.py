"""The pages of billing in the admin."""

from django.contrib import admin

from billing.admin_invoices import InvoiceAdmin
from billing.admin_missed_days import MissedDayAdmin
from billing.admin_month_ahead import MonthAheadAdmin
from billing.admin_payments import PaymentAdmin, ProblemAdmin
from billing.models import BillingProblem, Invoice, MissedDay, MonthAhead, Payment

admin.site.register(Invoice, InvoiceAdmin)
admin.site.register(Payment, PaymentAdmin)
admin.site.register(BillingProblem, ProblemAdmin)
admin.site.register(MonthAhead, MonthAheadAdmin)
admin.site.register(MissedDay, MissedDayAdmin)
