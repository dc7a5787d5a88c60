"""Posts by Django REST framework, without history at /posts/ and with it at /recorded/."""

from rest_framework import routers, serializers, viewsets

from bench.rivals.site.models import Post, RecordedPost


class PostSerializer(serializers.ModelSerializer):
    class Meta:
        model = Post
        fields = ("id", "user_id", "title", "body")


class RecordedSerializer(serializers.ModelSerializer):
    class Meta:
        model = RecordedPost
        fields = ("id", "user_id", "title", "body")


class PostViews(viewsets.ModelViewSet):
    queryset = Post._default_manager.all()
    serializer_class = PostSerializer


class RecordedViews(viewsets.ModelViewSet):
    queryset = RecordedPost._default_manager.all()
    serializer_class = RecordedSerializer


router = routers.DefaultRouter()
router.register("posts", PostViews)
router.register("recorded", RecordedViews)
urlpatterns = router.urls
