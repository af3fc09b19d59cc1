"""The pages of billing in the admin."""

from billing.admin_month_ahead import MonthAheadAdmin

__all__ = ["MonthAheadAdmin"]
