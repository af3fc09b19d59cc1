from django.urls import path

from jobs import views

urlpatterns = [
    path("functions/v1/", views.run_function, {"function": ""}),
    path("functions/v1/<path:function>", views.run_function),
]
