// The collection of posts, for anybody; a title is given once. Without a superuser PocketBase opens a browser.
migrate((app) => {
  const superuser = new Record(app.findCollectionByNameOrId("_superusers"))
  superuser.setEmail("tests@example.com")
  superuser.setPassword("only-for-tests")
  app.save(superuser)
  app.save(new Collection({
    type: "base",
    name: "posts",
    listRule: "",
    viewRule: "",
    createRule: "",
    updateRule: "",
    deleteRule: "",
    fields: [
      { type: "number", name: "user_id" },
      { type: "text", name: "title", required: true },
      { type: "text", name: "body" },
    ],
    indexes: ["CREATE UNIQUE INDEX posts_title ON posts (title)"],
  }))
})
