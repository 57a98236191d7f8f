"""A model of one's own, with models within it, and everything that a query can do."""

from simstore.sotopia import EmbeddedJsonModel, Field, JsonModel, Migrator, NotFoundError


class Place(EmbeddedJsonModel):
    town: str = Field(index=True)
    rooms: int = 1


class Person(JsonModel):
    name: str = Field(index=True, full_text_search=True)
    age: int = Field(index=True, sortable=True, default_factory=lambda: 0)
    home: Place
    languages: list[str] = Field(index=True, default=[])
    note: str | None = None


Migrator().run()

people = [
    Person(name="Alice Ahlgren", age=30, home=Place(town="Umeå", rooms=3), languages=["sv", "en"]),
    Person(name="Bruno Diaz", age=52, home=Place(town="Vigo"), languages=["gl", "es"]),
    Person(name="Chiyo Mori", age=41, home=Place(town="Vigo", rooms=2)),
    Person(name="Alice Mori", home=Place(town="Nara")),
]
for person in people[:2]:
    person.save()
Person.add(people[2:])


def names(found):
    return [person.name for person in found]


print("iteration:", sorted(names(Person.find())), Person.find().count())
print("sorted:", names(Person.find().sort_by("age").all()))
print("backwards:", names(Person.find().sort_by("-age")))
print("a page:", names(Person.find().sort_by("age").page(offset=1, limit=2)))
print("first:", Person.find(Person.age > 20).sort_by("age").first().name)
print("one of them:", Person.find(Person.name == "Alice Mori")[0].age)

print("equal:", names(Person.find(Person.name == "Bruno Diaz").all()))
print("words:", sorted(names(Person.find(Person.name % "alice").all())))
print("both words:", names(Person.find(Person.name % "mori alice").all()))
print("prefix:", sorted(names(Person.find(Person.name.startswith("Alice")).all())))
print("range:", sorted(names(Person.find((Person.age >= 41) & (Person.age <= 52)).all())))
print("within:", sorted(names(Person.find(Person.home.town == "Vigo").all())))
print("within, and age:", names(Person.find(Person.home.town == "Vigo", Person.age < 50).all()))
print("one of a list:", names(Person.find(Person.languages << ["en", "fr"]).all()))
print("none:", Person.find(Person.home.town == "Oslo").all(), Person.find(Person.age > 99).count())

bruno = Person.get(people[1].pk)
bruno.update(age=53, home__town="Porto")
print(Person.get(bruno.pk).home.town, Person.get(bruno.pk).age, Person.get(bruno.pk).home.rooms)
bruno.note = "moved"
bruno.save()
print(Person.get(bruno.pk).note, Person.get(people[0].pk).note)
Person.find(Person.age == 0).update(age=18)
print("grown up:", Person.find(Person.age == 18).first().name)
try:
    Person.find(Person.name == "Nobody").first()
except NotFoundError:
    print("nobody")

print("deleted:", Person.delete(bruno.pk), "left:", len(list(Person.all_pks())))
print("deleted:", Person.find(Person.name % "alice").delete(), "left:", names(Person.find()))
