"""Sample posts and comments, without real people or addresses."""

from random import Random

from content.news.models import Comment, Post

POSTS = 100
COMMENTS = 500

SUBJECTS = (
    "the spring catalog", "our delivery times", "the new packing line", "the returns desk", "opening hours",
    "the supplier day", "stock counting", "the winter range", "repair service", "gift vouchers", "the loading bay",
    "price labels",
)  # fmt: skip
TITLES = (
    "News about {}", "Five questions on {}", "What changes with {}", "Behind the scenes: {}", "A second look at {}",
    "{}: what we learned", "How we improved {}", "Your ideas for {}",
)  # fmt: skip
OPENINGS = (
    "From next Monday there is something new to say about {}.",
    "Many of you asked about {}, so here is a short answer.",
    "Last month we looked closely at {}.",
    "There is good news about {}.",
)
MIDDLES = (
    "We measured for four weeks and found that most of the time was lost in waiting.",
    "Two small changes made the largest difference, and neither of them was expensive.",
    "The team tried it in one branch first, and the numbers were clear after ten days.",
    "Nothing changes for orders that are on their way already.",
    "The first results are better than we had hoped; the details are in the table at the entrance.",
    "Some of it will take until the end of the quarter.",
)
ENDINGS = (
    "Tell us in the comments what you think.",
    "The next report follows in two weeks.",
    "Thank you to everybody who helped.",
    "Questions are welcome at the service desk.",
)
HEADINGS = (
    "A question", "Well done", "One more idea", "Not for us", "Thank you", "Please explain", "It works", "A doubt",
)  # fmt: skip
REMARKS = (
    "Does this also hold for small orders?",
    "We tried it last week and it saved us an hour.",
    "I would have liked to hear about it earlier.",
    "Could the table be sent by mail as well?",
    "This was overdue, and it is well made.",
    "In our branch the old way was faster, to be honest.",
    "Please keep the longer hours on Saturdays.",
    "Where can I read the figures?",
)
ROLES = ("buyer", "branch", "service", "warehouse", "reader", "supplier", "office", "driver")
HOSTS = ("example.com", "example.org")


def create(random: Random) -> int:
    """Write the samples with their history, and return how many there are."""
    posts = Post.objects.bulk_create([_post(random) for _ in range(POSTS)])
    comments = [_comment(random, random.choice(posts), number) for number in range(1, COMMENTS + 1)]
    return len(posts) + len(Comment.objects.bulk_create(comments))


def _post(random: Random) -> Post:
    subject = random.choice(SUBJECTS)
    title = random.choice(TITLES).format(subject)
    sentences = [random.choice(OPENINGS).format(subject), *random.sample(MIDDLES, 2), random.choice(ENDINGS)]
    return Post(title=title[0].upper() + title[1:], body=" ".join(sentences))


def _comment(random: Random, post: Post, number: int) -> Comment:
    email = f"{random.choice(ROLES)}{number}@{random.choice(HOSTS)}"
    body = " ".join(random.sample(REMARKS, random.randint(1, 3)))
    return Comment(post=post, name=random.choice(HEADINGS), email=email, body=body)
