from django.urls import path

from billing import views

urlpatterns = [
    path("invoices/<str:number>.pdf", views.invoice_pdf),
    path("invoices/<str:number>", views.invoice_page),
]
