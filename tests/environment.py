"""Loaded by pytest before the settings are: a developer's .env must not decide what is tested."""

import gc
import os

YOUNG_OBJECTS = 50_000  # after so many the collector of garbage looks for cycles

TEST_ENVIRONMENT = {
    "DEBUG": "1",
    "SECRET_KEY": "only-for-tests",
    "RESEND_API_KEY": "re_for_tests",
    "RESEND_FROM": "EGAC <noreply@club.example>",
    "RESEND_RATE_LIMIT": "1000",
    "RESEND_DAILY_QUOTA": "",
    "RESEND_API_URL": "http://127.0.0.1:9",
    "RESEND_DRY_RUN": "0",
    "WHATSAPP_TOKEN": "token_for_tests",
    "WHATSAPP_PHONE_NUMBER_ID": "106540352242922",
    "WHATSAPP_RATE_LIMIT": "1000",
    "WHATSAPP_API_URL": "http://127.0.0.1:9/v23.0",
    "WHATSAPP_DRY_RUN": "0",
    "PHONE_REGION": "GB",
    "ZOOM_ACCOUNT_ID": "account",
    "ZOOM_CLIENT_ID": "client",
    "ZOOM_CLIENT_SECRET": "client-secret",
    "ZOOM_API_URL": "http://127.0.0.1:9/v2",
    "ZOOM_OAUTH_URL": "http://127.0.0.1:9/oauth/token",
    "ZOOM_RATE_LIMIT": "1000",
    "ZOOM_DRY_RUN": "0",
    "BILLING_CURRENCY": "GBP",
    "BILLING_TAX_RATE": "0",
    "SENDING": "on",
    "DIVERT_EMAIL_TO": "",
    "REPLY_TO": "",
    "CRON_SECRET": "a-secret-of-the-tests",
    "CRON_SECRET_PREVIOUS": "",
    "SITE_BASE_URL": "https://club.example",
    "PAGES_SITE_URL": "",
    "OPS_BASE_URL": "https://ops.club.example",
    "METRICS_TOKEN": "",
    "WORKER_EXPECTED": "",
    "STAFF_ALERT_EMAILS": "",
    "GITHUB_TOKEN": "",
    "GITHUB_REPOSITORY": "",
    "MONITORING_MENTION": "",
    "SLACK_WEBHOOK_URL": "",
    "OPSGENIE_API_KEY": "",
    "HEALTHCHECK_PING_URL": "",
    "STANDIN_INBOX_URL": "",
    "BUSINESS_TIME_ZONE": "Europe/London",
}
os.environ.update(TEST_ENVIRONMENT)
gc.set_threshold(YOUNG_OBJECTS)


def pytest_collection_finish() -> None:
    """Keep the collector of garbage off what lives as long as the run: it took a tenth of it."""
    gc.collect()
    gc.freeze()
