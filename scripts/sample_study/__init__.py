"""A small trial simulator: it makes the sample study that ships with DataReplicator.

The trial is invented from end to end: DR-201, a phase 2 dose-ranging study of the made-up tablet veltipran in people
with hypertension and type 2 diabetes. Nothing in it comes from a real study.
"""
