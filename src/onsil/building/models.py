"""The register of sites and the meters whose readings say what each used or made."""

from functools import partial

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from onsil.core.ids import new_id

# In a context of their own, these words leave other rooms' translations of the same alone.
_ = partial(pgettext_lazy, "building")


class SiteKind(models.TextChoices):
    """What a site is in the plan."""

    SOLAR = "solar", _("태양광 발전소")
    ZERO_ENERGY = "zero-energy", _("제로에너지 건물")
    REMODELLED = "remodelled", _("그린리모델링 건물")
    HOUSEHOLD = "household", _("가정")
    PUBLIC = "public", _("공공건물")


class Quantity(models.TextChoices):
    """What a meter measures."""

    ELECTRICITY = "electricity", _("전기")
    GAS = "gas", _("도시가스")
    HEAT = "heat", _("지역난방")
    WATER = "water", _("수도")
    TEMPERATURE = "temperature", _("기온")
    IRRADIANCE = "irradiance", _("일사량")
    MODULE_TEMPERATURE = "module-temperature", _("모듈 온도")


class Direction(models.TextChoices):
    """Which way what is measured flows, seen from the site."""

    CONSUMED = "consumed", _("사용")
    GENERATED = "generated", _("발전")
    EXPORTED = "exported", _("송전")
    AMBIENT = "ambient", _("환경")


class Site(models.Model):
    """A building, home or plant; `entity` is its NGSI-LD URI, `person` the household's member.

    `replayed` and `simulated` say openly when its readings are not this city's own measurements.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    code = models.SlugField(max_length=60)
    kind = models.CharField(max_length=20, choices=SiteKind.choices)
    name_ko = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    entity = models.CharField(max_length=200)
    lon = models.DecimalField(max_digits=8, decimal_places=5)
    lat = models.DecimalField(max_digits=8, decimal_places=5)
    district = models.CharField(max_length=10, blank=True)
    person = models.UUIDField(null=True, blank=True)
    capacity_kw = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    floor_m2 = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    replayed = models.BooleanField(default=False)
    simulated = models.BooleanField(default=False)
    attribution_ko = models.CharField(max_length=300, blank=True)
    attribution_en = models.CharField(max_length=300, blank=True)
    note_ko = models.CharField(max_length=300, blank=True)
    note_en = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("사이트")
        verbose_name_plural = _("사이트")
        ordering = ["kind", "code"]
        indexes = [models.Index(fields=["city", "person"], condition=~Q(person=None), name="homes")]
        constraints = [
            models.UniqueConstraint(fields=["city", "code"], name="one_site_a_code"),
            models.UniqueConstraint(fields=["city", "entity"], name="one_site_an_entity"),
        ]

    def __str__(self) -> str:
        return self.name_ko

    def name(self, language: str = "ko") -> str:
        return self.name_en if language.startswith("en") else self.name_ko

    def attribution(self, language: str = "ko") -> str:
        return self.attribution_en if language.startswith("en") else self.attribution_ko

    def note(self, language: str = "ko") -> str:
        return self.note_en if language.startswith("en") else self.note_ko

    @property
    def origin(self) -> str:
        """Where its readings come from: measured, replayed or simulated."""
        if self.simulated:
            return "simulated"
        return "replayed" if self.replayed else "measured"


class Meter(models.Model):
    """One stream of readings of a site: an attribute of an entity in the hub."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    city = models.CharField(max_length=40)
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="meters")
    code = models.SlugField(max_length=60)
    entity = models.CharField(max_length=200)
    attribute = models.CharField(max_length=80)
    quantity = models.CharField(max_length=20, choices=Quantity.choices)
    unit = models.CharField(max_length=20)
    direction = models.CharField(max_length=12, choices=Direction.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("계량기")
        verbose_name_plural = _("계량기")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["city", "site", "code"], name="one_meter_a_code"),
            models.UniqueConstraint(
                fields=["city", "entity", "attribute"], name="one_meter_a_stream"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.site.code}/{self.code}"

    @property
    def stream(self) -> str:
        """How the footprint room names the meter: entity and attribute."""
        return f"{self.entity}#{self.attribute}"
